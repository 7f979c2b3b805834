import { describe, expect, it } from "vitest";
import type { Fault } from "../../../local/looker/faults.ts";
import { canary, captureOutput, findLeaks } from "../../support/canary.ts";
import { takeRefusedHosts } from "../../support/loopback-only.ts";
import { refusingUrl } from "../../support/refusing-url.ts";
import {
  adapter,
  impatient,
  jsonSays,
  loggedIn,
  lookerSays,
  proxySays,
  startedLooker,
  startServer,
} from "./looker-under-test.ts";

const LOGOUT = "DELETE /api/4.0/logout";
const USER = "GET /api/4.0/user";

it("204 is the end, and the token goes in a Bearer header alone", async () => {
  const server = await startServer({ [LOGOUT]: { status: 204 } });
  expect(await adapter().logout(server.url, canary.token)).toBe("ended");
  expect(server.received).toMatchObject([
    {
      method: "DELETE",
      url: "/api/4.0/logout",
      headers: { authorization: `Bearer ${canary.token}` },
      body: "",
    },
  ]);
});

it("Looker's stand-in ends the token, and a second logout is confirmed as well", async () => {
  const looker = await startedLooker();
  const token = await loggedIn(looker);
  expect(await adapter().logout(looker.url, token)).toBe("ended");
  expect(looker.liveTokens()).toEqual([]);
  expect(await adapter().logout(looker.url, token)).toBe("ended");
});

it.each([404, 401])(
  "a token that expired by itself is ended where Looker's logout answers %i",
  async (status) => {
    const looker = await startedLooker();
    looker.control.changeSettings({ expiredLogoutStatus: status as 404 });
    const token = await loggedIn(looker);
    looker.control.expireAllTokens();
    expect(await adapter().logout(looker.url, token)).toBe("ended");
  },
);

it("404 in Looker's words is the end only after /user has refused that very token", async () => {
  const server = await startServer({
    [LOGOUT]: lookerSays(404),
    [USER]: lookerSays(401, "Requires authentication."),
  });
  expect(await adapter().logout(server.url, canary.token)).toBe("ended");
  expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual([LOGOUT, USER]);
  expect(server.received[1]?.headers.authorization).toBe(`Bearer ${canary.token}`);
});

describe("no proof that the token is dead", () => {
  it.each<[what: string, fault: Omit<Fault, "route">, live: number]>([
    ["a 404 in Looker's words, while /user takes the token", { kind: "status", status: 404 }, 1],
    ["a 401 in Looker's words, while /user takes the token", { kind: "status", status: 401 }, 1],
    ["a proxy's 404", { kind: "html_404" }, 1],
    ["a proxy's 401", { kind: "html_401" }, 1],
    ["a proxy's 502", { kind: "html_502" }, 1],
    ["500", { kind: "status", status: 500 }, 1],
    ["429", { kind: "status", status: 429 }, 1],
    ["a reset before the effect", { kind: "reset" }, 1],
    ["a reset after the effect", { kind: "reset", when: "after" }, 0],
    ["a redirect", { kind: "redirect" }, 1],
    ["200 with malformed JSON", { kind: "malformed_json" }, 0],
    ["200 with megabytes", { kind: "huge_body" }, 0],
    ["200 with wrong types", { kind: "wrong_types" }, 0],
  ])("%s", async (_, fault, live) => {
    const looker = await startedLooker();
    const token = await loggedIn(looker);
    looker.control.addFault({ ...fault, route: "logout" });
    expect(await adapter().logout(looker.url, token)).toBe("unconfirmed");
    expect(looker.liveTokens()).toHaveLength(live);
  });

  it.each<[what: string, user: object]>([
    ["a proxy's 401", proxySays(401)],
    ["401 without a body", { status: 401 }],
    ["401 of another API", jsonSays(401, { message: "Unauthorized" })],
    ["403 in Looker's words", lookerSays(403)],
    ["404 in Looker's words", lookerSays(404)],
    ["500", lookerSays(500)],
    ["200", jsonSays(200, { id: "7" })],
  ])("404 in Looker's words, and then %s from /user", async (_, user) => {
    const server = await startServer({ [LOGOUT]: lookerSays(404), [USER]: user as { status: number } });
    expect(await adapter().logout(server.url, canary.token)).toBe("unconfirmed");
  });

  it.each<[what: string, logout: object]>([
    ["a proxy's 404", proxySays(404)],
    ["a proxy's 401", proxySays(401)],
    ["404 without a body", { status: 404 }],
    ["404 of another API", jsonSays(404, { message: "Not found" })],
    ["410 in Looker's words", lookerSays(410)],
  ])("%s, even where /user would refuse the token", async (_, logout) => {
    const server = await startServer({ [LOGOUT]: logout as { status: number }, [USER]: lookerSays(401) });
    expect(await adapter().logout(server.url, canary.token)).toBe("unconfirmed");
  });

  it.each(["logout", "user"] as const)("a hang of %s", async (route) => {
    const looker = await startedLooker();
    const token = await loggedIn(looker);
    if (route === "user") looker.control.addFault({ route: "logout", kind: "status", status: 404 });
    looker.control.addFault({ route, kind: "hang" });
    expect(await adapter(impatient).logout(looker.url, token)).toBe("unconfirmed");
  });

  it("nobody listens, or the URL is none", async () => {
    expect(await adapter().logout(await refusingUrl(), canary.token)).not.toBe("ended");
    expect(await adapter().logout("not a url", canary.token)).not.toBe("ended");
  });
});

it.each([301, 302, 303, 307, 308])(
  "a redirect (%i) is not followed, and the token goes no further",
  async (status) => {
    const elsewhere = await startServer({ "DELETE /x": { status: 204 }, "GET /x": { status: 204 } });
    const server = await startServer({ [LOGOUT]: { status, headers: { location: `${elsewhere.url}/x` } } });
    expect(await adapter().logout(server.url, canary.token)).toBe("unconfirmed");
    expect(elsewhere.received).toEqual([]);
  },
);

it("an http URL beyond loopback, as in an edited row, is sent nothing", async () => {
  expect(await adapter().logout("http://evil.example.com", canary.token)).not.toBe("ended");
  expect(takeRefusedHosts()).toEqual([]);
});

it("a token that cannot be a header is not sent, and does not show in output", async () => {
  const server = await startServer({ [LOGOUT]: { status: 204 } });
  const own = captureOutput({ passOn: false });
  const outcome = await adapter().logout(server.url, `${canary.token}\r\nx-injected: 1`);
  own.restore();
  expect(outcome).not.toBe("ended");
  expect(server.received).toEqual([]);
  expect(findLeaks(own.take())).toEqual([]);
});
