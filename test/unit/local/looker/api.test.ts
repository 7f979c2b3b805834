import { describe, expect, test } from "vitest";
import { sha256 } from "../../../../local/looker/sessions.ts";
import {
  ADMIN,
  call,
  login,
  lookerUnderTest,
  NOT_FOUND,
  READER,
  tryLogin,
  UNAUTHORIZED,
} from "./looker-client.ts";

describe("DELETE /logout", () => {
  test("answers an empty 204, then Looker's 404, and the token is refused everywhere", async () => {
    const looker = await lookerUnderTest();
    const token = await login(looker);
    expect(await call(looker, "DELETE /api/4.0/logout", `Bearer ${token}`)).toMatchObject({
      status: 204,
      body: "",
    });
    expect(await call(looker, "DELETE /api/4.0/logout", `token ${token}`)).toMatchObject({
      status: 404,
      body: NOT_FOUND,
    });
    expect(await call(looker, "GET /api/4.0/user", `token ${token}`)).toMatchObject({
      status: 401,
      body: UNAUTHORIZED,
    });
    expect(looker.ledger().map(({ event }) => event)).toEqual([
      "login",
      "logout",
      "logout_unknown",
      "api_unauthorized",
    ]);
    expect(new Set(looker.ledger().map((entry) => entry.tokenSha256))).toEqual(new Set([sha256(token)]));
  });

  test("ends the token it is sent with and no other", async () => {
    const looker = await lookerUnderTest();
    const first = await login(looker);
    const second = await login(looker);
    await call(looker, "DELETE /api/4.0/logout", `token ${first}`);
    expect(looker.liveTokens().map((token) => token.sha256)).toEqual([sha256(second)]);
  });

  test("a token that ran out is a 404, or a 401 if so set", async () => {
    const looker = await lookerUnderTest();
    const token = await login(looker);
    looker.control.advanceClock(3_600_000);
    expect((await call(looker, "GET /api/4.0/user", `token ${token}`)).status).toBe(401);
    expect(await call(looker, "DELETE /api/4.0/logout", `token ${token}`)).toMatchObject({ body: NOT_FOUND });
    looker.control.changeSettings({ expiredLogoutStatus: 401 });
    expect(await call(looker, "DELETE /api/4.0/logout", `token ${token}`)).toMatchObject({
      body: UNAUTHORIZED,
    });
    expect(looker.ledger().at(-1)).toMatchObject({ event: "logout_expired", clientId: "reader" });
  });

  test("without a token it is a 401", async () => {
    const looker = await lookerUnderTest();
    expect(await call(looker, "DELETE /api/4.0/logout")).toMatchObject({ status: 401, body: UNAUTHORIZED });
  });
});

describe("API calls", () => {
  test.each(["token", "Bearer", "bearer"])("GET /user accepts 'Authorization: %s X'", async (scheme) => {
    const looker = await lookerUnderTest();
    const token = await login(looker);
    const answer = await call(looker, "GET /api/4.0/user", `${scheme} ${token}`);
    expect(JSON.parse(answer.body)).toMatchObject({ id: "7", display_name: "Reader", is_disabled: false });
    expect(looker.ledger().at(-1)).toMatchObject({ event: "api", tokenSha256: sha256(token), userId: "7" });
  });

  test.each([
    ["GET /api/4.0/user", undefined],
    ["GET /api/4.0/versions", "Bearer unknown"],
    ["GET /api/4.0/session", "Basic dTpw"],
  ])("%s with authorization %s is Looker's 401", async (route, authorization) => {
    const looker = await lookerUnderTest();
    expect(await call(looker, route, authorization)).toMatchObject({ status: 401, body: UNAUTHORIZED });
  });

  test("PATCH /session switches the workspace of that token only", async () => {
    const looker = await lookerUnderTest();
    const first = `token ${await login(looker)}`;
    const second = `token ${await login(looker)}`;
    const patch = (body: string) => call(looker, "PATCH /api/4.0/session", first, { body });
    expect(JSON.parse((await patch('{"workspace_id":"dev"}')).body).workspace_id).toBe("dev");
    const read = async (token: string) =>
      JSON.parse((await call(looker, "GET /api/4.0/session", token)).body);
    expect((await read(first)).workspace_id).toBe("dev");
    expect((await read(second)).workspace_id).toBe("production");
    const invalid = await patch('{"workspace_id":"other"}');
    expect(invalid.status).toBe(422);
    expect(JSON.parse(invalid.body).errors).toMatchObject([{ field: "workspace_id" }]);
    expect((await patch("{")).status).toBe(400);
  });

  test("an admin lists lock-outs and lifts one; others may not", async () => {
    const looker = await lookerUnderTest();
    const reader = `token ${await login(looker)}`;
    const admin = `token ${await login(looker, ADMIN)}`;
    for (let i = 0; i < 4; i++) await tryLogin(looker, { ...READER, clientSecret: "wrong" });
    expect((await call(looker, "GET /api/4.0/user_login_lockouts", reader)).status).toBe(403);
    const [lockout] = JSON.parse((await call(looker, "GET /api/4.0/user_login_lockouts", admin)).body);
    expect(lockout).toMatchObject({ ip: "127.0.0.1", user_id: "7", remote_id: "reader", fail_count: 4 });
    const lift = `DELETE /api/4.0/user_login_lockout/${encodeURIComponent(lockout.key)}`;
    expect((await call(looker, lift, reader)).status).toBe(403);
    expect((await call(looker, lift, admin)).status).toBe(204);
    expect((await call(looker, lift, admin)).status).toBe(404);
    expect((await tryLogin(looker)).status).toBe(200);
  });

  test("/alive needs no token", async () => {
    const looker = await lookerUnderTest();
    expect((await call(looker, "GET /alive")).status).toBe(200);
  });

  test.each([
    "GET /api/4.0/looks",
    "GET /api/4.0/login",
    "POST //api/4.0/login",
    "GET /api/4.0/user/",
    "GET /",
  ])("%s is unknown: 501 that says so", async (route) => {
    const looker = await lookerUnderTest();
    const answer = await call(looker, route, `token ${await login(looker)}`);
    expect(answer.status).toBe(501);
    expect(JSON.parse(answer.body).message).toContain("stand-in does not know");
  });

  test("no token and no secret is in the ledger", async () => {
    const looker = await lookerUnderTest();
    const token = await login(looker);
    await call(looker, "GET /api/4.0/user", `token ${token}`);
    await call(looker, "DELETE /api/4.0/logout", `token ${token}`);
    const ledger = JSON.stringify(looker.ledger());
    expect(ledger).not.toContain(token);
    expect(ledger).not.toContain(READER.clientSecret);
  });
});
