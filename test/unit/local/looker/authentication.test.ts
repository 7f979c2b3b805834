import { describe, expect, test } from "vitest";
import { sha256 } from "../../../../local/looker/token.ts";
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

const WRONG = { ...READER, clientSecret: "wrong" };

describe("POST /login", () => {
  test("answers a bearer token with its life in seconds, and refresh_token null", async () => {
    const looker = await lookerUnderTest();
    const { status, body, headers } = await tryLogin(looker);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("application/json");
    expect(JSON.parse(body)).toEqual({
      access_token: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: null,
    });
    const tokenSha256 = sha256(JSON.parse(body).access_token);
    expect(looker.ledger()).toEqual([
      {
        at: 1_700_000_000_000,
        event: "login",
        method: "POST",
        path: "/api/4.0/login",
        status: 200,
        clientId: "reader",
        userId: "7",
        tokenSha256,
      },
    ]);
    expect(looker.liveTokens()).toEqual([
      { sha256: tokenSha256, userId: "7", clientId: "reader", expiresAt: 1_700_003_600_000 },
    ]);
  });

  test("a second login leaves the first token valid", async () => {
    const looker = await lookerUnderTest();
    const first = await login(looker);
    const second = await login(looker);
    expect(second).not.toBe(first);
    expect((await call(looker, "GET /api/4.0/user", `token ${first}`)).status).toBe(200);
  });

  test.each([
    ["a wrong secret", WRONG],
    ["an unknown client", { clientId: "__proto__", clientSecret: "x" }],
  ])("%s gets Looker's 404", async (_, who) => {
    const looker = await lookerUnderTest();
    expect(await tryLogin(looker, who)).toMatchObject({ status: 404, body: NOT_FOUND });
    expect(looker.ledger()).toMatchObject([{ event: "login_failed", status: 404, clientId: who.clientId }]);
  });

  test("after four failures in a row the right secret is refused for five minutes", async () => {
    const looker = await lookerUnderTest();
    for (let i = 0; i < 4; i++) await tryLogin(looker, WRONG);
    expect(await tryLogin(looker)).toMatchObject({ status: 404, body: NOT_FOUND });
    expect(looker.ledger().at(-1)).toMatchObject({ event: "login_locked_out", clientId: "reader" });
    expect((await tryLogin(looker, ADMIN)).status).toBe(200);
    looker.control.changeSettings({ lockedOutStatus: 429 });
    expect((await tryLogin(looker)).status).toBe(429);
    looker.control.advanceClock(299_999);
    expect((await tryLogin(looker)).status).toBe(429);
    looker.control.advanceClock(1);
    expect((await tryLogin(looker)).status).toBe(200);
  });

  test("three failures and a success lock nothing", async () => {
    const looker = await lookerUnderTest();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3; i++) await tryLogin(looker, WRONG);
      expect((await tryLogin(looker)).status).toBe(200);
    }
  });

  test("credentials in the query work, and the ledger tells without holding them", async () => {
    const looker = await lookerUnderTest();
    const query = new URLSearchParams({ client_id: READER.clientId, client_secret: READER.clientSecret });
    expect((await call(looker, `POST /api/4.0/login?${query}`)).status).toBe(200);
    expect(looker.ledger()).toMatchObject([
      { event: "login", credentialsInQuery: true, path: "/api/4.0/login" },
    ]);
    expect(JSON.stringify(looker.ledger())).not.toContain(READER.clientSecret);
  });

  test.each([
    ["a JSON body", { body: JSON.stringify({ client_id: "reader", client_secret: "reader-secret" }) }],
    ["no body", {}],
    ["no secret", { body: new URLSearchParams({ client_id: "reader" }) }],
  ])("%s is a 400 and no failed login", async (_, init) => {
    const looker = await lookerUnderTest();
    expect((await call(looker, "POST /api/4.0/login", undefined, init)).status).toBe(400);
    expect(looker.ledger()).toMatchObject([{ event: "bad_request" }]);
  });

  test("a body over 64 KiB is a 413", async () => {
    const looker = await lookerUnderTest();
    const body = new URLSearchParams({ client_id: "x".repeat(1_000_000) });
    expect((await call(looker, "POST /api/4.0/login", undefined, { body })).status).toBe(413);
  });

  test.each(["/api/login", "/api//login", "//api/4.0//login", "/login", "/api/3.1/login"])(
    "POST %s is the same call",
    async (path) => {
      const looker = await lookerUnderTest();
      const body = new URLSearchParams({ client_id: READER.clientId, client_secret: READER.clientSecret });
      const { access_token } = JSON.parse((await call(looker, `POST ${path}`, undefined, { body })).body);
      expect((await call(looker, "GET /api/4.0/user", `Bearer ${access_token}`)).status).toBe(200);
      expect(looker.ledger()).toMatchObject([{ event: "login", path }, { event: "api" }]);
    },
  );

  test("the older form lacks refresh_token, and a token's life can be another", async () => {
    const looker = await lookerUnderTest();
    looker.control.changeSettings({ refreshToken: "absent", tokenSeconds: 20 });
    const answer = JSON.parse((await tryLogin(looker)).body);
    expect(answer).toMatchObject({ expires_in: 20 });
    expect(answer).not.toHaveProperty("refresh_token");
  });
});

describe("POST /login/{user_id}", () => {
  test("an admin gets a token of another user, which outlives the admin's own", async () => {
    const looker = await lookerUnderTest();
    const admin = await login(looker, ADMIN);
    const answer = await call(looker, "POST /api/4.0/login/42", `Bearer ${admin}`);
    const token = JSON.parse(answer.body).access_token;
    expect(looker.ledger().at(-1)).toMatchObject({
      event: "login_user",
      userId: "42",
      tokenSha256: sha256(token),
    });
    await call(looker, "DELETE /api/4.0/logout", `token ${admin}`);
    const me = await call(looker, "GET /api/4.0/user", `token ${token}`);
    expect(JSON.parse(me.body)).toMatchObject({ id: "42", display_name: "Embedded" });
    const session = await call(looker, "GET /api/4.0/session", `token ${token}`);
    expect(JSON.parse(session.body)).toMatchObject({ sudo_user_id: "1" });
  });

  test("others get 403, an unknown user 404, a dead token 401", async () => {
    const looker = await lookerUnderTest();
    const reader = await login(looker);
    const admin = await login(looker, ADMIN);
    expect((await call(looker, "POST /api/4.0/login/1", `token ${reader}`)).status).toBe(403);
    expect((await call(looker, "POST /api/4.0/login/99", `token ${admin}`)).status).toBe(404);
    expect((await call(looker, "POST /api/4.0/login/%zz", `token ${admin}`)).status).toBe(400);
    expect(await call(looker, "POST /api/4.0/login/1", "token x")).toMatchObject({
      status: 401,
      body: UNAUTHORIZED,
    });
    expect(looker.liveTokens()).toHaveLength(2);
  });
});
