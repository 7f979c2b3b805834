import { describe, expect, test, vi } from "vitest";
import type { FaultKind } from "../../../../local/looker/faults.ts";
import type { RunningLooker } from "../../../../local/looker/server.ts";
import { ADMIN, call, login, lookerUnderTest, READER, tryLogin } from "./looker-client.ts";

const PROXY_PAGE = /^<html>/;

function untilInFlight(looker: RunningLooker): Promise<void> {
  return vi.waitFor(() => expect(looker.control.inFlight()).toHaveLength(1));
}

describe("faults that replace the effect", () => {
  test("status 429 with Retry-After: Looker's error body, no token, recorded", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "status", status: 429, retryAfter: "7", times: 1 });
    const answer = await tryLogin(looker);
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("7");
    expect(JSON.parse(answer.body)).toEqual({
      message: expect.any(String),
      documentation_url: "http://docs.looker.com/",
    });
    expect(looker.ledger()).toMatchObject([{ event: "fault", fault: "status", status: 429 }]);
    expect((await tryLogin(looker)).status).toBe(200);
    expect(looker.liveTokens()).toHaveLength(1);
  });

  test.each([
    ["html_401", 401],
    ["html_404", 404],
    ["html_502", 502],
  ] satisfies [FaultKind, number][])(
    "%s on logout is a proxy's page, and the token stays live",
    async (kind, status) => {
      const looker = await lookerUnderTest();
      const token = await login(looker);
      looker.control.addFault({ route: "logout", kind });
      const answer = await call(looker, "DELETE /api/4.0/logout", `token ${token}`);
      expect(answer).toMatchObject({ status, body: expect.stringMatching(PROXY_PAGE) });
      expect(answer.headers.get("content-type")).toBe("text/html");
      expect(looker.liveTokens()).toHaveLength(1);
    },
  );

  test("a 404 in Looker's own words can be a lie", async () => {
    const looker = await lookerUnderTest();
    const token = await login(looker);
    looker.control.addFault({ route: "logout", kind: "status", status: 404 });
    expect((await call(looker, "DELETE /api/4.0/logout", `token ${token}`)).body).toContain('"Not found"');
    expect(looker.liveTokens()).toHaveLength(1);
  });

  test("hang: recorded at once, never answered, and no obstacle to closing", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "hang" });
    const attempt = tryLogin(looker);
    attempt.catch(() => {});
    await vi.waitFor(() =>
      expect(looker.ledger()).toMatchObject([{ event: "fault", fault: "hang", status: 0 }]),
    );
    expect(looker.control.inFlight()).toMatchObject([{ path: "/api/4.0/login", fault: "hang" }]);
    await looker.close();
    await expect(attempt).rejects.toThrow();
  });

  test("redirect keeps method and body, so a follower shows in the ledger", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "redirect", times: 2 });
    const refused = await tryLogin(looker);
    expect(refused).toMatchObject({ status: 307 });
    expect(refused.headers.get("location")).toBe("/redirected");
    const body = new URLSearchParams({ client_id: READER.clientId, client_secret: READER.clientSecret });
    await call(looker, "POST /api/4.0/login", undefined, { body, redirect: "follow" });
    expect(looker.ledger().at(-1)).toMatchObject({
      event: "unknown_route",
      method: "POST",
      path: "/redirected",
    });
  });
});

describe("reset", () => {
  test("before the effect: no token was made", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "reset", times: 1 });
    await expect(tryLogin(looker)).rejects.toThrow();
    expect(looker.liveTokens()).toEqual([]);
    expect(looker.ledger()).toMatchObject([{ event: "fault", fault: "reset", status: 0 }]);
  });

  test("after the effect: a token lives that nobody holds", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "reset", when: "after", times: 1 });
    await expect(tryLogin(looker)).rejects.toThrow();
    expect(looker.liveTokens()).toHaveLength(1);
    expect(looker.ledger()).toMatchObject([{ event: "login", fault: "reset", status: 0 }]);
  });
});

describe("delay and hold", () => {
  test("before: the effect waits too, and happens although the client has gone", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "hold", times: 1 });
    const leave = new AbortController();
    const body = new URLSearchParams({ client_id: READER.clientId, client_secret: READER.clientSecret });
    const attempt = call(looker, "POST /api/4.0/login", undefined, { body, signal: leave.signal });
    attempt.catch(() => {});
    await untilInFlight(looker);
    expect(looker.liveTokens()).toEqual([]);
    leave.abort();
    await expect(attempt).rejects.toThrow();
    expect(looker.control.release()).toBe(1);
    await vi.waitFor(() => expect(looker.liveTokens()).toHaveLength(1));
  });

  test("after: the token is live while the answer is held; clearing faults lets it go", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "hold", when: "after" });
    const attempt = tryLogin(looker);
    await vi.waitFor(() => expect(looker.liveTokens()).toHaveLength(1));
    looker.control.clearFaults();
    expect((await attempt).status).toBe(200);
    expect(looker.control.faults()).toEqual([]);
    expect(looker.control.inFlight()).toEqual([]);
  });

  test("a delay comes in front of any kind", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "delay", delayMs: 30, times: 1 });
    looker.control.addFault({ route: "login", kind: "status", status: 503, delayMs: 30, times: 1 });
    const started = performance.now();
    expect((await tryLogin(looker)).status).toBe(200);
    expect((await tryLogin(looker)).status).toBe(503);
    expect(performance.now() - started).toBeGreaterThan(55);
  });
});

describe("faults that spoil the answer", () => {
  test("malformed_json: V8's SyntaxError quotes the token, which makes this a leak test as well", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "malformed_json", times: 1 });
    const { status, body } = await tryLogin(looker);
    expect(status).toBe(200);
    const token = /"access_token":=(\w+)/.exec(body)?.[1] ?? "";
    expect(token).toHaveLength(40);
    expect(() => JSON.parse(body)).toThrow(token.slice(0, 5));
    expect(looker.liveTokens()).toHaveLength(1);
  });

  test("malformed_json on a route without a token, and on an empty 204", async () => {
    const looker = await lookerUnderTest();
    const token = await login(looker);
    looker.control.addFault({ route: "all", kind: "malformed_json" });
    for (const route of ["GET /api/4.0/user", "DELETE /api/4.0/logout"]) {
      const { status, body } = await call(looker, route, `token ${token}`);
      expect(status).toBe(200);
      expect(() => JSON.parse(body)).toThrow(SyntaxError);
    }
  });

  test("huge_body is valid JSON of the asked size", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "huge_body", bytes: 3_000_000 });
    const { body } = await tryLogin(looker);
    expect(body.length).toBeGreaterThan(3_000_000);
    expect(JSON.parse(body)).toHaveProperty("access_token");
  });

  test("wrong_types spoils the fields of a token, or those that are named", async () => {
    const looker = await lookerUnderTest();
    looker.control.addFault({ route: "login", kind: "wrong_types", times: 1 });
    looker.control.addFault({ route: "login", kind: "wrong_types", fields: { expires_in: -1 }, times: 1 });
    expect(JSON.parse((await tryLogin(looker)).body)).toMatchObject({
      access_token: 12_345,
      expires_in: "3600",
    });
    const named = JSON.parse((await tryLogin(looker)).body);
    expect(named).toMatchObject({ access_token: expect.any(String), expires_in: -1 });
  });
});

test("faults strike in order, each on its own route and as often as it says", async () => {
  const looker = await lookerUnderTest();
  looker.control.addFault({ route: "login", kind: "status", status: 500, times: 2 });
  looker.control.addFault({ route: "all", kind: "status", status: 503, times: 1 });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await tryLogin(looker)).status);
  expect(statuses).toEqual([500, 500, 503, 200]);
});

describe("faults of users and their pairs", () => {
  const pairs = "/api/4.0/users/7/credentials_api3";
  const asAdmin = async (looker: RunningLooker) => {
    const token = `token ${await login(looker, ADMIN)}`;
    return (route: string) => call(looker, route, token);
  };

  test("a pair is made although the answer never comes", async () => {
    const looker = await lookerUnderTest();
    const admin = await asAdmin(looker);
    looker.control.addFault({ route: "credentials", method: "POST", kind: "reset", when: "after", times: 1 });
    expect(JSON.parse((await admin(`GET ${pairs}`)).body)).toHaveLength(1);
    await expect(admin(`POST ${pairs}`)).rejects.toThrow();
    expect(looker.ledger().at(-1)).toMatchObject({ event: "pair_created", fault: "reset", status: 0 });
    expect(JSON.parse((await admin(`GET ${pairs}`)).body)).toHaveLength(2);
  });

  test("a failed deletion deletes nothing, and leaves other methods alone", async () => {
    const looker = await lookerUnderTest();
    const admin = await asAdmin(looker);
    looker.control.addFault({
      route: "credentials",
      method: "DELETE",
      kind: "status",
      status: 429,
      times: 1,
    });
    expect((await admin(`POST ${pairs}`)).status).toBe(200);
    expect((await admin(`DELETE ${pairs}/1`)).status).toBe(429);
    expect(looker.control.pairs()).toHaveLength(3);
    expect((await admin(`DELETE ${pairs}/1`)).status).toBe(204);
  });

  test("users are a route of their own, without pairs and without GET /user", async () => {
    const looker = await lookerUnderTest();
    const admin = await asAdmin(looker);
    looker.control.addFault({ route: "users", kind: "status", status: 503 });
    const paths = ["/users", "/users/7", "/users/7/roles", "/users/credential/api3/reader"];
    for (const path of paths) expect((await admin(`GET /api/4.0${path}`)).status).toBe(503);
    for (const path of ["/user", "/users/7/credentials_api3", "/users/7/credentials_api3/1"])
      expect((await admin(`GET /api/4.0${path}`)).status).toBe(200);
  });

  test("malformed_json: V8's SyntaxError quotes the secret of a new pair", async () => {
    const looker = await lookerUnderTest();
    const admin = await asAdmin(looker);
    looker.control.addFault({ route: "credentials", kind: "malformed_json" });
    const { body } = await admin(`POST ${pairs}`);
    const secret = /"client_secret":=(\w{24})/.exec(body)?.[1] ?? "absent";
    expect(() => JSON.parse(body)).toThrow(secret.slice(0, 5));
  });
});

describe("every route", () => {
  test.each(["POST /api//login", "POST /api/login", "POST /login"])(
    "a fault of logins strikes %s",
    async (route) => {
      const looker = await lookerUnderTest();
      looker.control.addFault({ route: "login", kind: "status", status: 503 });
      const body = new URLSearchParams({ client_id: READER.clientId, client_secret: READER.clientSecret });
      expect((await call(looker, route, undefined, { body })).status).toBe(503);
    },
  );

  test("a fault of all routes strikes content, logout without a version, and unknown routes", async () => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    looker.control.addFault({ route: "all", kind: "html_502", times: 3 });
    for (const route of ["GET /api/4.0/dashboards", "DELETE /api/logout", "GET /api/4.0/nothing"])
      expect(await call(looker, route, token)).toMatchObject({
        status: 502,
        body: expect.stringMatching(PROXY_PAGE),
      });
    expect((await call(looker, "GET /api/4.0/dashboards", token)).status).toBe(200);
  });

  test("a spoiled answer is never compressed", async () => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    looker.control.addFault({ route: "all", kind: "huge_body", bytes: 5_000 });
    const { headers } = await call(looker, "GET /api/4.0/looks", token);
    expect(headers.get("content-encoding")).toBeNull();
  });

  test("a token that ends in the middle is a 401 on content, too", async () => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    const read = async () => (await call(looker, "GET /api/4.0/lookml_models", token)).status;
    expect(await read()).toBe(200);
    looker.control.endTokensOf(READER.clientId);
    expect(await read()).toBe(401);
  });
});
