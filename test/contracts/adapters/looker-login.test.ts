import dns from "node:dns";
import { describe, expect, it, vi } from "vitest";
import type { LoginOutcome } from "../../../functions/use-cases/ports.ts";
import type { Fault } from "../../../local/looker/faults.ts";
import { canary, findLeaks } from "../../support/canary.ts";
import { takeRefusedHosts } from "../../support/loopback-only.ts";
import { refusingUrl } from "../../support/refusing-url.ts";
import {
  adapter,
  credentials,
  impatient,
  jsonSays,
  lookerSays,
  proxySays,
  startedLooker,
  startServer,
} from "./looker-under-test.ts";

const LOGIN = "POST /api/4.0/login";
const token = { access_token: canary.token, token_type: "Bearer", expires_in: 3_600 };

it("the secret goes in a form body, and neither in the query nor in a header", async () => {
  const server = await startServer({ [LOGIN]: jsonSays(200, token) });
  const outcome = await adapter().login(server.url, credentials);
  expect(outcome).toEqual({ kind: "token", accessToken: canary.token, expiresInSeconds: 3_600 });
  expect(server.received).toHaveLength(1);
  const [{ url, headers, body } = expect.fail("no request")] = server.received;
  expect(url).toBe("/api/4.0/login");
  expect(headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
  expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
  });
  expect(findLeaks(JSON.stringify(headers))).toEqual([]);
});

it("Looker's stand-in gives a token that is its own, by one login", async () => {
  const looker = await startedLooker();
  const outcome = await adapter().login(looker.url, credentials);
  expect(outcome).toMatchObject({ kind: "token", expiresInSeconds: 3_600 });
  expect(looker.ledger()).toMatchObject([{ event: "login", status: 200 }]);
  expect(looker.ledger()[0]).not.toHaveProperty("credentialsInQuery");
});

it("wrong credentials are rejected, after one attempt", async () => {
  const looker = await startedLooker();
  const outcome = await adapter().login(looker.url, { ...credentials, clientSecret: "wrong" });
  expect(outcome).toEqual({ kind: "rejected" });
  expect(looker.ledger()).toMatchObject([{ event: "login_failed" }]);
});

describe("an answer that is not Looker's token", () => {
  it.each<[what: string, fault: Omit<Fault, "route">, outcome: LoginOutcome]>([
    ["a proxy's 404", { kind: "html_404" }, { kind: "failed", reason: "status_404" }],
    ["a proxy's 401", { kind: "html_401" }, { kind: "failed", reason: "status_401" }],
    ["a proxy's 502", { kind: "html_502" }, { kind: "failed", reason: "status_502" }],
    [
      "429 with Retry-After",
      { kind: "status", status: 429, retryAfter: "7" },
      { kind: "throttled", retryAfterSeconds: 7 },
    ],
    ["429 without it", { kind: "status", status: 429 }, { kind: "throttled", retryAfterSeconds: undefined }],
    [
      "429 with a date",
      { kind: "status", status: 429, retryAfter: "Wed, 21 Oct 2037 07:28:00 GMT" },
      { kind: "throttled", retryAfterSeconds: undefined },
    ],
    [
      "429 with a negative number",
      { kind: "status", status: 429, retryAfter: "-1" },
      { kind: "throttled", retryAfterSeconds: undefined },
    ],
    ["500", { kind: "status", status: 500 }, { kind: "failed", reason: "status_500" }],
    ["503", { kind: "status", status: 503 }, { kind: "failed", reason: "status_503" }],
    [
      "504: Looker may still be at it",
      { kind: "status", status: 504 },
      { kind: "unknown", reason: "status_504" },
    ],
    ["403 in Looker's words", { kind: "status", status: 403 }, { kind: "rejected" }],
    ["400 in Looker's words", { kind: "status", status: 400 }, { kind: "rejected" }],
    ["malformed JSON", { kind: "malformed_json" }, { kind: "unknown", reason: "malformed" }],
    ["a body of megabytes", { kind: "huge_body" }, { kind: "unknown", reason: "malformed" }],
    ["fields of wrong types", { kind: "wrong_types" }, { kind: "unknown", reason: "malformed" }],
  ])("%s", async (_, fault, outcome) => {
    const looker = await startedLooker();
    looker.control.addFault({ ...fault, route: "login" });
    expect(await adapter().login(looker.url, credentials)).toEqual(outcome);
    expect(looker.ledger()).toHaveLength(1);
  });

  it.each<[what: string, answer: object]>([
    ["an empty token", { ...token, access_token: "" }],
    ["a token that would split a header", { ...token, access_token: "abcdefgh\r\nx: y" }],
    ["a token with a space", { ...token, access_token: "abcdefgh ijkl" }],
    ["a token of 3 kB", { ...token, access_token: "a".repeat(3_000) }],
    ["no life", { access_token: canary.token, token_type: "Bearer" }],
    ["a life of zero", { ...token, expires_in: 0 }],
    ["a negative life", { ...token, expires_in: -1 }],
    ["another type of token", { ...token, token_type: "MAC" }],
    ["a list", [token]],
  ])("200 with %s may have made a token, so its end is unknown", async (_, answer) => {
    const server = await startServer({ [LOGIN]: jsonSays(200, answer) });
    const outcome = await adapter().login(server.url, credentials);
    expect(outcome).toEqual({ kind: "unknown", reason: "malformed" });
  });

  it.each<[what: string, answer: object]>([
    ["null", { status: 404, body: "null" }],
    ["another API's error", jsonSays(404, { message: "Forbidden" })],
    ["messages that are no text", jsonSays(404, { message: 7, documentation_url: null })],
    ["nothing", { status: 404 }],
    ["text", { status: 404, body: "Not found" }],
  ])("404 with %s is no rejection", async (_, answer) => {
    const server = await startServer({ [LOGIN]: answer as { status: number } });
    expect(await adapter().login(server.url, credentials)).toEqual({ kind: "failed", reason: "status_404" });
  });

  it("404 in Looker's words with an empty message is a rejection", async () => {
    const server = await startServer({ [LOGIN]: lookerSays(404, null) });
    expect(await adapter().login(server.url, credentials)).toEqual({ kind: "rejected" });
  });
});

describe("an ambiguous end is unknown, and never tried again", () => {
  it.each<[what: string, fault: Omit<Fault, "route">, reason: string | RegExp, tokens: number]>([
    ["a hang", { kind: "hang" }, "timeout", 0],
    ["an answer that is too late", { kind: "hold", when: "after" }, "timeout", 1],
    ["a reset before the effect", { kind: "reset" }, /^(ECONNRESET|UND_ERR_SOCKET)$/, 0],
    ["a reset after the effect", { kind: "reset", when: "after" }, /^(ECONNRESET|UND_ERR_SOCKET)$/, 1],
  ])("%s", async (_, fault, reason, tokens) => {
    const looker = await startedLooker();
    looker.control.addFault({ ...fault, route: "login" });
    const { login, slept } = fault.kind === "reset" ? adapter() : adapter({ ...impatient, loginMs: 500 });
    expect(await login(looker.url, credentials)).toEqual({
      kind: "unknown",
      reason: typeof reason === "string" ? reason : expect.stringMatching(reason),
    });
    expect(slept).toEqual([]);
    expect(looker.liveTokens()).toHaveLength(tokens);
    expect(looker.ledger()).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])(
    "a redirect (%i) is not followed, and the secret goes no further",
    async (status) => {
      const elsewhere = await startServer({
        "POST /steal": jsonSays(200, token),
        "GET /steal": jsonSays(200, token),
      });
      const headers = { location: `${elsewhere.url}/steal` };
      const server = await startServer({ [LOGIN]: { status, headers } });
      expect((await adapter().login(server.url, credentials)).kind).toBe("unknown");
      expect(server.received).toHaveLength(1);
      expect(elsewhere.received).toEqual([]);
    },
  );
});

describe("what certainly did not reach Looker", () => {
  it("is tried once more after a moment, and is unreached if that fails too", async () => {
    const { login, slept } = adapter();
    const outcome = await login(await refusingUrl(), credentials);
    expect(outcome).toEqual({ kind: "unreached", reason: "ECONNREFUSED" });
    expect(slept).toEqual([250]);
  });

  it("is told as such when the host has no address", async () => {
    const lookup = vi
      .spyOn(dns, "lookup")
      .mockImplementation(((_host: string, _options: object, done: (e: Error) => void) =>
        done(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }))) as never);
    const outcome = await adapter().login("http://localhost:8080", credentials);
    lookup.mockRestore();
    expect(outcome).toEqual({ kind: "unreached", reason: "ENOTFOUND" });
  });

  it.each([
    "http://looker.example.com",
    "http://127.0.0.1.example.com",
    "http://[::ffff:1.2.3.4]",
    "ftp://127.0.0.2.x",
  ])("is refused without any request where the URL is %s", async (url) => {
    const { login, slept } = adapter();
    expect((await login(url, credentials)).kind).not.toBe("token");
    expect(slept).toEqual([]);
    expect(takeRefusedHosts()).toEqual([]);
  });
});

it.each(["", "not a url", "https://", "http://127.0.0.1:0", "http://127.0.0.1:99999"])(
  "login never throws, nor tells the secret, where the URL is %j",
  async (url) => {
    const outcome = await adapter(impatient).login(url, credentials);
    expect(outcome.kind).toMatch(/^(unknown|unreached|failed)$/);
    expect(findLeaks(JSON.stringify(outcome))).toEqual([]);
  },
);

it("a proxy's page is never quoted in the outcome", async () => {
  const server = await startServer({ [LOGIN]: { ...proxySays(400), body: `<p>${canary.clientSecret}</p>` } });
  expect(await adapter().login(server.url, credentials)).toEqual({ kind: "failed", reason: "status_400" });
});
