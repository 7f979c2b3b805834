import { LookerNodeSDK } from "@looker/sdk-node";
import { ApiSettings } from "@looker/sdk-rtl";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RunningLooker } from "../../../../local/looker/server.ts";
import { ADMIN, lookerUnderTest, READER } from "./looker-client.ts";

// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

class Settings extends ApiSettings {
  readonly #section: Record<string, string>;

  constructor(looker: RunningLooker, { clientId, clientSecret } = READER) {
    super({ base_url: looker.url });
    this.#section = { base_url: looker.url, client_id: clientId, client_secret: clientSecret };
  }

  override readConfig(): Record<string, string> {
    return this.#section;
  }
}

test("Looker's own SDK logs in, asks who it is, logs out, and is then refused with 401", async () => {
  const looker = await lookerUnderTest();
  const sdk = LookerNodeSDK.init40(new Settings(looker));
  const me = await sdk.ok(sdk.me());
  expect(me).toMatchObject({ id: "7", display_name: "Reader" });

  const { access_token } = await sdk.authSession.getToken();
  expect(await sdk.authSession.logout()).toBe(true);
  expect(looker.liveTokens()).toEqual([]);

  // The SDK would log in anew by itself, so it is handed the dead token.
  const dead = LookerNodeSDK.init40(new Settings(looker));
  vi.spyOn(dead.authSession, "authenticate").mockImplementation(async (props) => {
    props.headers.Authorization = `Bearer ${access_token}`;
    return props;
  });
  await expect(dead.ok(dead.me())).rejects.toThrow("Requires authentication.");
  expect(looker.ledger().map(({ event, status }) => [event, status])).toEqual([
    ["login", 200],
    ["api", 200],
    ["logout", 204],
    ["api_unauthorized", 401],
  ]);
});

test("an admin's SDK session runs as another user", async () => {
  const looker = await lookerUnderTest();
  const sdk = LookerNodeSDK.init40(new Settings(looker, ADMIN));
  await sdk.ok(sdk.me());
  await sdk.authSession.login("42");
  expect(await sdk.ok(sdk.me())).toMatchObject({ id: "42" });
  expect(await sdk.ok(sdk.session())).toMatchObject({ workspace_id: "production", sudo_user_id: "1" });
  expect(await sdk.ok(sdk.update_session({ workspace_id: "dev" }))).toMatchObject({ workspace_id: "dev" });
});

test("an admin's SDK session reads versions and lifts a lock-out", async () => {
  const looker = await lookerUnderTest();
  const wrong = LookerNodeSDK.init40(new Settings(looker, { ...READER, clientSecret: "wrong" }));
  for (let i = 0; i < 4; i++) await expect(wrong.ok(wrong.me())).rejects.toThrow("Not found");
  const sdk = LookerNodeSDK.init40(new Settings(looker, ADMIN));
  expect(await sdk.ok(sdk.versions())).toMatchObject({ current_version: { version: "4.0" } });
  const [lockout] = await sdk.ok(sdk.all_user_login_lockouts("key,fail_count"));
  await sdk.ok(sdk.delete_user_login_lockout(String(lockout?.key)));
  const reader = LookerNodeSDK.init40(new Settings(looker));
  expect(await reader.ok(reader.me())).toMatchObject({ id: "7" });
});

test("an admin's SDK session makes, finds, marks and deletes a pair, and the pair's own session reads its rights", async () => {
  const looker = await lookerUnderTest();
  const sdk = LookerNodeSDK.init40(new Settings(looker, ADMIN));
  const made = await sdk.ok(sdk.create_user_credentials_api3("7"));
  const [id, clientId] = [String(made.id), String(made.client_id)];
  expect(await sdk.ok(sdk.user_for_credential("api3", clientId))).toMatchObject({ id: "7" });
  const marked = await sdk.ok(sdk.update_user_credentials_api3("7", id, { purpose: "rotation" }));
  expect(marked).toMatchObject({ id, client_id: clientId, purpose: "rotation" });
  expect(await sdk.ok(sdk.user_credentials_api3("7", id))).toEqual(marked);
  expect(await sdk.ok(sdk.all_user_credentials_api3s("7", "id,purpose"))).toEqual([
    { id: "1", purpose: null },
    { id, purpose: "rotation" },
  ]);

  const own = LookerNodeSDK.init40(
    new Settings(looker, { clientId, clientSecret: String(made.client_secret) }),
  );
  const user = await own.ok(own.user("7", "is_disabled,is_iam_admin,credentials_api3(client_id)"));
  expect(user).toEqual({
    is_disabled: false,
    is_iam_admin: false,
    credentials_api3: [{ client_id: "reader" }, { client_id: clientId }],
  });
  const [role] = await own.ok(own.user_roles({ user_id: "7" }));
  expect(role?.permission_set).toMatchObject({ all_access: false, built_in: false });
  expect(role?.model_set).toMatchObject({ all_access: false, models: ["sales", "finance"] });
  await expect(own.ok(own.create_user_credentials_api3("7"))).rejects.toThrow("Not found");

  await sdk.ok(sdk.delete_user_credentials_api3("7", id));
  await expect(sdk.ok(sdk.user_credentials_api3("7", id))).rejects.toThrow("Not found");
});
