import { describe, expect, test } from "vitest";
import { type RunningLooker, startLooker } from "../../../../local/looker/server.ts";
import { sha256 } from "../../../../local/looker/token.ts";
import { call, login, lookerUnderTest, READER, tryLogin } from "./looker-client.ts";

async function control(looker: RunningLooker, route: string, body?: unknown) {
  const [method = "", path = ""] = route.split(" ");
  const response = await fetch(`${looker.controlUrl}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe("the control interface over HTTP", () => {
  test("GET / describes every route, with what a fault accepts", async () => {
    const looker = await lookerUnderTest();
    const { status, body } = await control(looker, "GET /");
    expect(status).toBe(200);
    expect(body["POST /faults"].accepts).toMatchObject({ route: expect.stringContaining("login | ") });
    expect(body["GET /ledger"]).toEqual({ does: expect.any(String) });
  });

  test("faults are added, listed and cleared", async () => {
    const looker = await lookerUnderTest();
    const fault = { route: "login", kind: "status", status: 429, retry_after: 5, delay_ms: 1, times: 3 };
    expect((await control(looker, "POST /faults", fault)).status).toBe(200);
    const limited = await tryLogin(looker);
    expect(limited.status).toBe(429);
    expect(limited.headers.get("retry-after")).toBe("5");
    expect((await control(looker, "GET /faults")).body).toEqual([{ ...fault, retry_after: "5", times: 2 }]);
    await control(looker, "DELETE /faults");
    expect((await tryLogin(looker)).status).toBe(200);
  });

  test("the ledger and the live tokens are read in snake_case; the ledger is reset", async () => {
    const looker = await lookerUnderTest();
    const tokenSha256 = sha256(await login(looker));
    expect((await control(looker, "GET /ledger")).body).toMatchObject([
      { event: "login", client_id: "reader", user_id: "7", token_sha256: tokenSha256 },
    ]);
    expect((await control(looker, "GET /tokens")).body).toEqual([
      { sha256: tokenSha256, user_id: "7", client_id: "reader", expires_at: 1_700_003_600_000 },
    ]);
    await control(looker, "DELETE /ledger");
    expect(looker.ledger()).toEqual([]);
  });

  test("tokens expire one by one or all at once, or end with their client", async () => {
    const looker = await lookerUnderTest();
    const first = await login(looker);
    await login(looker);
    const expire = (body: unknown) => control(looker, "POST /tokens/expire", body);
    expect((await expire({ sha256: sha256(first) })).body).toEqual({ expired: 1 });
    expect((await expire({ sha256: sha256(first) })).body).toEqual({ expired: 0 });
    expect((await call(looker, "GET /api/4.0/user", `token ${first}`)).status).toBe(401);
    expect((await expire({ all: true })).body).toEqual({ expired: 1 });
    expect((await expire({})).status).toBe(400);
    const third = await login(looker);
    expect((await control(looker, "POST /tokens/end", { client_id: "reader" })).body).toEqual({ ended: 1 });
    expect((await call(looker, "DELETE /api/4.0/logout", `token ${third}`)).status).toBe(404);
  });

  test("a rotated secret and a disabled client refuse logins and leave live tokens", async () => {
    const looker = await lookerUnderTest();
    await login(looker);
    const rotated = { client_id: "reader", client_secret: "second" };
    await control(looker, "POST /clients/secret", rotated);
    expect((await tryLogin(looker)).status).toBe(404);
    const second = { clientId: "reader", clientSecret: "second" };
    expect((await tryLogin(looker, second)).status).toBe(200);
    const disable = (disabled: boolean) =>
      control(looker, "POST /clients/disable", { client_id: "reader", disabled });
    await disable(true);
    expect((await tryLogin(looker, second)).status).toBe(404);
    await disable(false);
    expect((await tryLogin(looker, second)).status).toBe(200);
    expect(looker.liveTokens()).toHaveLength(3);
    expect((await control(looker, "POST /clients/secret", { ...rotated, client_id: "nobody" })).status).toBe(
      400,
    );
  });

  test("pairs are listed without secrets, and a user gets other rights", async () => {
    const looker = await lookerUnderTest();
    const reader = { id: "1", user_id: "7", client_id: "reader", created_at: 1_700_000_000_000 };
    const { body } = await control(looker, "GET /pairs");
    expect(body[0]).toEqual({ ...reader, purpose: null, disabled: false });
    const token = `token ${await login(looker)}`;
    const rights = { admin: false, permissions: ["see_looks"], models: ["sales"], iam_admin: true };
    const flags = { can_manage_credentials: true, disabled: true };
    const change = { user_id: "7", ...rights, ...flags };
    expect((await control(looker, "POST /users", change)).status).toBe(200);
    const fields = "is_disabled,is_iam_admin,can_manage_api3_creds";
    const seen = await call(looker, `GET /api/4.0/users/7?fields=${fields}`, token);
    expect(JSON.parse(seen.body)).toEqual({
      is_disabled: true,
      is_iam_admin: true,
      can_manage_api3_creds: true,
    });
    for (const wrong of [["*"], ["http://localhost:5173/"], "http://localhost:5173"])
      expect((await control(looker, "POST /settings", { cors_origins: wrong })).status).toBe(400);
    for (const wrong of [{ user_id: "99" }, { user_id: "7", permissions: ["fly"] }, { admin: true }])
      expect((await control(looker, "POST /users", wrong)).status).toBe(400);
  });

  test("the clock moves on, settings change", async () => {
    const looker = await lookerUnderTest();
    await login(looker);
    expect((await control(looker, "POST /clock", { advance_ms: 3_600_000 })).body).toEqual({
      now: 1_700_003_600_000,
    });
    expect(looker.liveTokens()).toEqual([]);
    expect((await control(looker, "POST /settings", { expired_logout_status: 401 })).body).toEqual({
      token_seconds: 3600,
      locked_out_status: 404,
      expired_logout_status: 401,
      refresh_token: "null",
      tokens_of_deleted_pairs: "live",
      own_pairs_by_api: false,
      pair_refusal_status: 404,
      max_pairs_per_user: 100,
      too_many_pairs_status: 422,
      cors_origins: [],
      rotates_refresh_tokens: false,
      reused_code: "refused",
      unknown_app_status: 401,
    });
  });
});

describe("bad control input is a 400 that says what is accepted", () => {
  test.each([
    [
      { route: "nowhere", kind: "hang" },
      "login | login_user | logout | oauth_token | user | users | credentials | all",
    ],
    [{ route: "login" }, "kind is missing"],
    [{ route: "login", kind: "hang", sometimes: 1 }, "Unknown field"],
    [{ route: "login", kind: "status", status: 200 }, "400..599"],
    [{ route: "login", kind: "status" }, "needs status"],
    [{ route: "login", kind: "delay" }, "needs delay_ms"],
    [{ route: "login", kind: "hang", bytes: 5 }, "kind huge_body only"],
    [{ route: "login", kind: "malformed_json", when: "before" }, '"after"'],
    [{ route: "login", kind: "hang", times: 0 }, "whole number"],
    [{ route: "login", kind: "hang", method: "FETCH" }, "GET | POST"],
    [[], "JSON object"],
    [null, "JSON object"],
  ])("%j", async (fault, says) => {
    const looker = await lookerUnderTest();
    const { status, body } = await control(looker, "POST /faults", fault);
    expect(status).toBe(400);
    expect(body.message).toContain(says);
    expect(looker.control.faults()).toEqual([]);
  });

  test("an unknown route, broken JSON, another content type, a large body", async () => {
    const looker = await lookerUnderTest();
    expect(await control(looker, "GET /nothing")).toMatchObject({
      status: 404,
      body: { message: expect.stringContaining("POST /faults") },
    });
    const post = (body: string, type: string) =>
      fetch(`${looker.controlUrl}/faults`, { method: "POST", body, headers: { "content-type": type } });
    expect((await post("{", "application/json")).status).toBe(400);
    expect((await post('{"route":"login","kind":"hang"}', "text/plain")).status).toBe(400);
    expect((await post(" ".repeat(1_000_000), "application/json")).status).toBe(413);
  });

  test("a client secret is not echoed", async () => {
    const looker = await lookerUnderTest();
    const { body } = await control(looker, "POST /clients/secret", {
      client_id: 1,
      client_secret: "keep-me",
    });
    expect(JSON.stringify(body)).not.toContain("keep-me");
  });
});

describe("starting", () => {
  test("an account added later can log in; a client id in use is refused", async () => {
    const looker = await lookerUnderTest();
    const credentials = [{ clientId: "later", clientSecret: "s" }];
    looker.addAccount({ userId: "9", displayName: "Later", credentials });
    expect((await tryLogin(looker, { clientId: "later", clientSecret: "s" })).status).toBe(200);
    expect(() => looker.addAccount({ userId: "10", displayName: "X", credentials })).toThrow(
      "already in use",
    );
  });

  test("a second pair of a user works beside the first", async () => {
    const looker = await lookerUnderTest();
    looker.addAccount({
      userId: "7",
      displayName: "Reader",
      credentials: [{ clientId: "r2", clientSecret: "s" }],
    });
    expect((await tryLogin(looker)).status).toBe(200);
    await tryLogin(looker, { clientId: "r2", clientSecret: "s" });
    expect(looker.liveTokens().map(({ userId, clientId }) => [userId, clientId])).toEqual([
      ["7", READER.clientId],
      ["7", "r2"],
    ]);
  });

  test("a taken control port fails the start and frees the other port", async () => {
    const first = await lookerUnderTest();
    const taken = Number(new URL(first.controlUrl).port);
    await expect(startLooker({ accounts: [], controlPort: taken })).rejects.toThrow("EADDRINUSE");
  });
});
