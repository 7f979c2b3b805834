import { expect, test } from "vitest";
import { APP, OTHER, oauthStage, PERSON, REDIRECT_URI } from "../../../support/looker/oauth-stage.ts";

const post = (url: string, fields: Record<string, string>, cookie = "") =>
  fetch(url, { method: "POST", redirect: "manual", headers: { cookie }, body: new URLSearchParams(fields) });
const { email, password } = PERSON;

test("a person consents once for each app, until an admin takes the consent back", async () => {
  const stage = await oauthStage();
  const url = stage.authUrl();
  expect(await (await fetch(url)).text()).toContain("Sign in to Looker");
  const cookie = (await post(url, { email, password })).headers.get("set-cookie") ?? "";
  const open = () => fetch(url, { redirect: "manual", headers: { cookie } });
  expect(await (await open()).text()).toContain("Browser app wants to use Looker as you");
  await post(url, { decision: "allow" }, cookie);
  expect((await open()).headers.get("location")).toContain("code=");
  const { json } = await stage.admin(`GET /oauth_client_apps/${APP}`);
  expect(json.activated_users).toMatchObject([{ id: PERSON.userId }]);
  await stage.admin(`DELETE /oauth_client_apps/${APP}/users/${PERSON.userId}`);
  expect((await open()).status).toBe(200);
  await stage.admin(`POST /oauth_client_apps/${APP}/users/${PERSON.userId}`);
  expect((await open()).status).toBe(303);
});

test("a wrong password, a disabled person and a denial give no code", async () => {
  const stage = await oauthStage();
  const url = stage.authUrl();
  const wrong = await post(url, { email, password: "wrong" });
  expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
  const cookie = (await post(url, { email, password })).headers.get("set-cookie") ?? "";
  const denied = await post(url, { decision: "deny" }, cookie);
  expect(denied.headers.get("location")).toContain("error=access_denied");
  stage.looker.control.changeUser(PERSON.userId, { disabled: true });
  expect((await post(url, { email, password })).status).toBe(401);
  expect((await post(url, { decision: "allow" }, cookie)).headers.get("location")).toContain("access_denied");
});

test("an app of a group is for its members", async () => {
  const stage = await oauthStage();
  await stage.admin(`PATCH /oauth_client_apps/${APP}`, { group_id: "5" });
  expect((await stage.consent(undefined, OTHER)).searchParams.get("error")).toBe("access_denied");
  await stage.admin(`PATCH /oauth_client_apps/${APP}`, { group_id: null });
  expect((await stage.consent(undefined, OTHER)).searchParams.has("code")).toBe(true);
});

test.each([
  ["no JSON", "{", 400, "invalid_request"],
  ["no app", { grant_type: "refresh_token" }, 401, "invalid_client"],
  ["an unknown app", { grant_type: "refresh_token", client_id: "unknown" }, 401, "invalid_client"],
  ["no grant type", { client_id: APP }, 400, "unsupported_grant_type"],
  ["a password", { client_id: APP, grant_type: "password" }, 400, "unsupported_grant_type"],
  ["no refresh token", { client_id: APP, grant_type: "refresh_token" }, 400, "invalid_request"],
])("a request for a token with %s is refused in OAuth's words", async (_, body, status, error) => {
  const stage = await oauthStage();
  expect(await stage.token(body)).toEqual({ status, json: { error } });
});

test("the status for an unknown app is a setting", async () => {
  const stage = await oauthStage({ unknownAppStatus: 400 });
  expect((await stage.token({ client_id: "unknown" })).status).toBe(400);
});

test("an admin registers, reads, changes and deletes apps, and the tokens go with the app", async () => {
  const stage = await oauthStage();
  const route = `/oauth_client_apps/${APP}`;
  const tokens = (await stage.redeem(await stage.code())).json;
  const details = { redirect_uri: REDIRECT_URI, display_name: "Again" };
  expect((await stage.admin(`POST ${route}`, details)).status).toBe(409);
  const changed = await stage.admin(`PATCH ${route}`, { description: "Reports" });
  expect(changed.json).toMatchObject({ redirect_uri: REDIRECT_URI, description: "Reports", enabled: true });
  expect((await stage.admin("GET /oauth_client_apps")).json).toEqual([changed.json]);
  expect((await stage.admin(`DELETE ${route}`)).status).toBe(204);
  expect((await stage.admin(`GET ${route}`)).status).toBe(404);
  expect(await stage.me(tokens.access_token)).toBe(401);
  await stage.register(APP);
  expect(await stage.me(tokens.access_token)).toBe(401);
  expect((await stage.refresh(tokens.refresh_token)).json).toEqual({ error: "invalid_grant" });
});

test.each([
  ["redirect_uri", "oauth"],
  ["redirect_uri", `${REDIRECT_URI}#fragment`],
  ["display_name", ""],
  ["description", 7],
  ["enabled", "yes"],
  ["group_id", 7],
])("an app with the %s %j is refused", async (field, value) => {
  const stage = await oauthStage();
  const details = { redirect_uri: REDIRECT_URI, display_name: "New", [field]: value };
  const { status, json } = await stage.admin("POST /oauth_client_apps/new", details);
  expect([status, json.errors]).toEqual([422, [expect.objectContaining({ field })]]);
});

test("only an admin sees or changes apps", async () => {
  const stage = await oauthStage();
  const { access_token: token } = (await stage.redeem(await stage.code())).json;
  for (const [method, path] of [
    ["GET", ""],
    ["POST", "/mine"],
    ["PATCH", `/${APP}`],
    ["DELETE", `/${APP}`],
    ["DELETE", `/${APP}/tokens`],
    ["POST", `/${APP}/users/${PERSON.userId}`],
    ["DELETE", `/${APP}/users/${PERSON.userId}`],
  ] as const) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${stage.looker.url}/api/4.0/oauth_client_apps${path}`, { method, headers });
    expect(response.status, path).toBe(404);
  }
  expect(await stage.me(token)).toBe(200);
});
