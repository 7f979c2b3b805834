import { describe, expect, test } from "vitest";
import { sha256 } from "../../../../local/looker/token.ts";
import {
  ADMIN,
  call,
  FORBIDDEN,
  login,
  lookerUnderTest,
  NOT_FOUND,
  READER,
  tryLogin,
  UNAUTHORIZED,
} from "./looker-client.ts";

const VIEWER = { clientId: "viewer", clientSecret: "viewer-secret" };

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

  test.each(["/api/logout", "/api//logout", "/logout", "/api/3.1/logout"])(
    "DELETE %s is the same call",
    async (path) => {
      const looker = await lookerUnderTest();
      const token = await login(looker);
      const logout = () => call(looker, `DELETE ${path}`, `Bearer ${token}`);
      expect((await logout()).status).toBe(204);
      expect(await logout()).toMatchObject({ status: 404, body: NOT_FOUND });
      expect(looker.liveTokens()).toEqual([]);
    },
  );

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

  test("an admin lists lock-outs and lifts one, others see none", async () => {
    const looker = await lookerUnderTest();
    const reader = `token ${await login(looker)}`;
    const admin = `token ${await login(looker, ADMIN)}`;
    for (let i = 0; i < 4; i++) await tryLogin(looker, { ...READER, clientSecret: "wrong" });
    expect((await call(looker, "GET /api/4.0/user_login_lockouts", reader)).status).toBe(404);
    const [lockout] = JSON.parse((await call(looker, "GET /api/4.0/user_login_lockouts", admin)).body);
    expect(lockout).toMatchObject({ ip: "127.0.0.1", user_id: "7", remote_id: "reader", fail_count: 4 });
    const lift = `DELETE /api/4.0/user_login_lockout/${encodeURIComponent(lockout.key)}`;
    expect((await call(looker, lift, reader)).status).toBe(404);
    expect((await call(looker, lift, admin)).status).toBe(204);
    expect((await call(looker, lift, admin)).status).toBe(404);
    expect((await tryLogin(looker)).status).toBe(200);
  });

  test("/alive needs no token", async () => {
    const looker = await lookerUnderTest();
    expect((await call(looker, "GET /alive")).status).toBe(200);
  });

  test("a path without a version is Looker's 403, with or without a token", async () => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    for (const route of ["GET /", "GET /api/user", "GET /user", "GET /api/3.1/user"])
      for (const authorization of [token, undefined])
        expect(await call(looker, route, authorization)).toMatchObject({ status: 403, body: FORBIDDEN });
    expect(looker.ledger().at(-1)).toMatchObject({ event: "unknown_route", status: 403 });
  });

  test.each(["GET /api/4.0/login", "GET /api/4.0/user/", "GET /api/4.0/boards", "POST /api/4.0/looks"])(
    "%s is not served here: Looker's 404, or 401 without a token",
    async (route) => {
      const looker = await lookerUnderTest();
      const answer = await call(looker, route, `token ${await login(looker)}`);
      expect(answer).toMatchObject({ status: 404, body: NOT_FOUND });
      expect(looker.ledger().at(-1)).toMatchObject({ event: "unknown_route", clientId: "reader" });
      expect(await call(looker, route)).toMatchObject({ status: 401, body: UNAUTHORIZED });
    },
  );

  test("without the permission each route is a 404", async () => {
    const looker = await lookerUnderTest();
    looker.addAccount({
      userId: "8",
      displayName: "Viewer",
      credentials: [VIEWER],
      permissions: ["access_data", "see_looks"],
    });
    const viewer = `token ${await login(looker, VIEWER)}`;
    expect((await call(looker, "GET /api/4.0/looks", viewer)).status).toBe(200);
    for (const route of ["GET /api/4.0/projects", "GET /api/4.0/dashboards/30", "GET /api/4.0/users/7"])
      expect(await call(looker, route, viewer)).toMatchObject({ status: 404, body: NOT_FOUND });
    expect(looker.ledger().at(-1)).toMatchObject({ event: "api_refused" });
    const own = await call(looker, "GET /api/4.0/users/8/roles", viewer);
    expect(JSON.parse(own.body)).toMatchObject([
      { permission_set: { all_access: false, permissions: ["access_data", "see_looks"] } },
    ]);
  });

  test("an account reads its own pairs, without secrets", async () => {
    const looker = await lookerUnderTest();
    const { body } = await call(looker, "GET /api/4.0/users/7", `token ${await login(looker)}`);
    expect(JSON.parse(body)).toMatchObject({
      credentials_api3: [{ client_id: "reader", is_disabled: false }],
    });
    expect(body).not.toContain(READER.clientSecret);
  });

  test("?fields= keeps the named fields of an answer, and does not touch an error", async () => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    const answer = await call(looker, "GET /api/4.0/looks?fields=id,folder(name)", token);
    expect(JSON.parse(answer.body)).toEqual([{ id: "20", folder: { name: "Sales reports" } }]);
    expect((await call(looker, "GET /api/4.0/looks/99?fields=id", token)).body).toBe(NOT_FOUND);
  });

  test("an answer of a kilobyte is compressed for a client that takes gzip", async () => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    const encodingOf = async (route: string, accepted: string) =>
      (await call(looker, route, token, { headers: { "accept-encoding": accepted } })).headers.get(
        "content-encoding",
      );
    expect(await encodingOf("GET /api/4.0/lookml_models/sales/explores/orders", "gzip, deflate")).toBe(
      "gzip",
    );
    expect(await encodingOf("GET /api/4.0/lookml_models/sales/explores/orders", "identity")).toBeNull();
    expect(await encodingOf("GET /api/4.0/session", "gzip")).toBeNull();
  });

  test.each(["GET /versions", "GET /api/4.0/versions"])(
    "%s names the server's own address",
    async (route) => {
      const looker = await lookerUnderTest();
      const { body } = await call(looker, route, `token ${await login(looker)}`);
      expect(JSON.parse(body)).toMatchObject({ api_server_url: looker.url, web_server_url: looker.uiUrl });
    },
  );

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
