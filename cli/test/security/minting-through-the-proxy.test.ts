/**
 * With a token of an administrator, a tool could make a credential that outlives the lease: another user's token, or an API
 * key. The proxy refuses that however the path is spelled, unless it is allowed.
 */
import { describe, expect, it } from "vitest";
import { bearer, startStand } from "../proxy/stand.ts";

const spellings = [
  "/api/4.0/login/42",
  "/api/3.1/login/42",
  "/api//4.0///login/42",
  "/api/4.0/login/42/",
  "/api/4.0/login/42?associative=false",
  "/api/4.0/%6cogin/42",
  "/api/4.0/%256cogin/42",
  "/api/4.0/login%2F42",
  "/api/4.0/LOGIN/42",
  "/api/4.0/login;x=y/42",
  "/api/4.0\\login/42",
  "/login/42",
  "/api/4.0/users/7/credentials_api3",
  "/api/4.0/users/7/credentials_api3/",
  "/api/4.0/users/7/credentials_api3.json",
  "/api/4.0/users/7/credentials%5Fapi3",
  "/api/4.0/users/7/credentials_api3;v=1",
  "/api/4.0/users/7/credentials_api3?fields=client_secret",
];

describe.each(spellings)("POST %s", (path) => {
  it("is refused, and Looker is not asked", async () => {
    let asked = 0;
    const { send, login } = await startStand({
      looker: (_, response) => {
        asked++;
        response.end("{}");
      },
    });
    const { status, text } = await send(path, { method: "POST", headers: bearer(await login()) });
    expect([status, JSON.parse(text).message, asked]).toEqual([
      403,
      expect.stringMatching(/--allow-credentials/),
      0,
    ]);
  });
});

it.each([
  "/api/4.0/x/../login/42",
  "/api/4.0/x/%2e%2e/login/42",
  "/api/4.0/./login/42",
  "/a%00b",
  "/a%0d%0ab",
  "/%zz",
])("%s, which servers read in several ways, is refused", async (path) => {
  const { send, login } = await startStand();
  expect((await send(path, { method: "POST", headers: bearer(await login()) })).status).toBe(400);
});

it("a real login or logout does not get through under another method or spelling", async () => {
  const seen: unknown[] = [];
  const { send, login } = await startStand({
    looker: (request, response) => {
      seen.push(request.url);
      response.end("{}");
    },
  });
  const headers = bearer(await login());
  for (const path of [
    "/api/4.0/logout",
    "/api/4.0/%6cogout",
    "/api/logout.json",
    "/api/4.0/login",
    "/api/4.0/logi%6E",
  ])
    for (const method of ["GET", "POST", "PUT", "PATCH"])
      expect((await send(path, { method, headers })).status).toBe(404);
  expect(seen).toEqual([]);
});

it("with --allow-credentials it gets through, and reading credentials always does", async () => {
  const allowing = await startStand({ allowCredentials: true });
  const headers = bearer(await allowing.login());
  for (const path of ["/api/4.0/login/42", "/api/4.0/users/7/credentials_api3"])
    expect((await allowing.send(path, { method: "POST", headers })).status).toBe(200);
  const { send, login } = await startStand();
  const reading = { headers: bearer(await login()) };
  expect((await send("/api/4.0/users/7/credentials_api3", reading)).status).toBe(200);
});
