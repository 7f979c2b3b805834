/** Options that are misspelt, missing or not possible fail when they are given, and not later at the broker. */
import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../test/support/failure.ts";
import { callBroker } from "../src/broker/call-broker.ts";
import { type BrokerFetch, connect } from "../src/broker/connection.ts";
import { lookerSession } from "../src/looker-sdk.ts";
import { TokenBrokerClient } from "../src/token/token-broker-client.ts";
import { withRetries } from "../src/waiting/retry.ts";
import { clientStand, credentials, stopStands } from "./stand.ts";

afterEach(stopStands);

const endpoint = "https://tokens.example.com";
const region = "eu-west-1";
const thrown = (call: () => unknown) => failure(Promise.resolve().then(call));
/** A misspelt option, as plain JavaScript would pass it. */
// biome-ignore lint/suspicious/noExplicitAny: the compiler would refuse it.
const wrong = (options: unknown): any => options;

describe("an unknown option", () => {
  it.each([
    ["TokenBrokerClient", () => new TokenBrokerClient(wrong({ scop: "sales" })), "Did you mean `scope`?"],
    [
      "TokenBrokerClient",
      () => new TokenBrokerClient(wrong({ scope: "sales", timeoutMS: 5 })),
      "Did you mean `timeoutMs`?",
    ],
    [
      "TokenBrokerClient",
      () => new TokenBrokerClient(wrong({ scope: "sales", clientSecret: "x" })),
      "The options are scope, session,",
    ],
    ["connect", () => connect(wrong({ endpont: endpoint })), "Did you mean `endpoint`?"],
    ["withRetries", () => withRetries(async () => 1, wrong({ timeout: 5 })), "Did you mean `timeoutMs`?"],
    [
      "lookerSession",
      () => lookerSession(wrong({}), wrong({ base_url: "https://example.com" })),
      "The options are agentTag,",
    ],
    ["lookerSession", () => lookerSession(wrong({}), wrong({ timeOut: 5 })), "Did you mean `timeout`?"],
  ])("of %s is an error with the way out: %#", async (name, call, hint) => {
    const error = await thrown(call);
    expect(error.code).toBe("bad_request");
    expect(error.summary).toContain(`${name} has no option`);
    expect(error.hint).toContain(hint);
    expect(error.message).not.toContain("example.com");
  });

  it.each([
    ["token", (client: TokenBrokerClient) => client.token(wrong({ minTTLSeconds: 60 }))],
    ["withToken", (client: TokenBrokerClient) => client.withToken(() => 1, wrong({ minTtl: 60 }))],
    ["logout", (client: TokenBrokerClient) => client.logout(wrong({ leaseID: "x", lease: "x" }))],
    ["permissions", (client: TokenBrokerClient) => client.permissions(wrong({ signals: 1 }))],
  ])("of %s() is a rejection, before anything is asked", async (_, call) => {
    const { client, broker } = await clientStand();
    expect((await failure(call(client))).code).toBe("bad_request");
    expect(broker.asked.length).toBe(0);
  });
});

describe("the option scope", () => {
  it.each([undefined, {}, { scope: undefined }])("is missing in %j: the error says so", async (options) => {
    const error = await thrown(() => new TokenBrokerClient(wrong(options)));
    expect([error.code, error.summary]).toEqual([
      "bad_request",
      "TokenBrokerClient needs the option `scope`.",
    ]);
  });
});

describe("an option of a wrong type", () => {
  const client = (options: object) =>
    new TokenBrokerClient(wrong({ scope: "sales", endpoint, region, ...options }));
  const source = { token() {}, withToken() {}, logout() {} };

  it.each([
    ...[null, 5, ["sales"]].map((scope) => ({ scope })),
    ...[null, 5].map((session) => ({ session })),
    ...[null, 5, new URL(endpoint)].map((endpoint) => ({ endpoint })),
    ...[null, 5].map((region) => ({ region })),
    ...[null, 0, "", "AKIDX", []].map((credentials) => ({ credentials })),
    ...[null, "x", {}].map((fetch) => ({ fetch })),
    ...[null, "5", Symbol("5")].map((timeoutMs) => ({ timeoutMs })),
    ...[null, 5].map((onRetry) => ({ onRetry })),
  ])("is refused by the constructor, by its name: %o", async (options) => {
    const error = await thrown(() => client(options));
    expect([error.code, error.summary]).toEqual([
      "bad_request",
      expect.stringContaining(`\`${Object.keys(options)[0]}\` of TokenBrokerClient must be of the type `),
    ]);
  });

  it.each([
    [
      "connect",
      () => connect(wrong({ endpoint, region: 5 })),
      "`region` of connect must be of the type string.",
    ],
    ["connect", () => connect(wrong("x")), "connect takes an object with options."],
    ["withRetries", () => withRetries(wrong("x")), "`attempt` of withRetries must be of the type function."],
    [
      "withRetries",
      () => withRetries(async () => 1, wrong({ onRetry: 5 })),
      "`onRetry` of withRetries must be",
    ],
    [
      "callBroker",
      () => callBroker(connect({ endpoint, region }), wrong({ method: "GET", path: 5 })),
      "`path` of",
    ],
    [
      "callBroker",
      () => callBroker(connect({ endpoint, region }), wrong(null)),
      "callBroker takes an object",
    ],
    [
      "lookerSession",
      () => lookerSession(wrong(source), wrong({ timeout: "60" })),
      "`timeout` of lookerSession must",
    ],
    [
      "lookerSession",
      () => lookerSession(wrong({})),
      "`token` of the client of lookerSession must be of the type function.",
    ],
    ["lookerSession", () => lookerSession(wrong(undefined)), "`token` of the client of lookerSession"],
    [
      "TokenBrokerClient",
      () => new TokenBrokerClient(wrong("sales")),
      "TokenBrokerClient takes an object with",
    ],
  ])("is refused by %s: %#", async (_, call, summary) => {
    const error = await thrown(call);
    expect([error.code, error.summary]).toEqual(["bad_request", expect.stringContaining(summary)]);
  });

  it.each([
    ["token", (client: TokenBrokerClient) => client.token(wrong(null))],
    ["token", (client: TokenBrokerClient) => client.token(wrong(0))],
    ["token", (client: TokenBrokerClient) => client.token(wrong({ signal: 5 }))],
    ["token", (client: TokenBrokerClient) => client.token(wrong({ minTtlSeconds: "60" }))],
    ["withToken", (client: TokenBrokerClient) => client.withToken(wrong(undefined))],
    ["withToken", (client: TokenBrokerClient) => client.withToken(() => 1, wrong(null))],
    ["logout", (client: TokenBrokerClient) => client.logout(wrong(null))],
    ["logout", (client: TokenBrokerClient) => client.logout(wrong({ leaseId: 5 }))],
    ["logout", (client: TokenBrokerClient) => client.logout(wrong({ leaseId: null }))],
    ["permissions", (client: TokenBrokerClient) => client.permissions(wrong({ signal: {} }))],
  ])("is refused by %s(), before anything is asked: %#", async (_, call) => {
    const { client, broker } = await clientStand();
    expect((await failure(call(client))).code).toBe("bad_request");
    expect(broker.asked.length).toBe(0);
  });
});

it("a time-out beyond Node's timers waits, and does not end at once", async () => {
  const { broker } = await clientStand(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { status: 200, body: {} };
  });
  const connection = connect({ endpoint: broker.url, region, credentials });
  const request = { method: "GET", path: "/scopes", timeoutMs: 10_000_000_000 } as const;
  expect((await callBroker(connection, request)).status).toBe(200);
});

it("a session token of null, as JSON has it, counts as none", async () => {
  const { another, broker } = await clientStand();
  await another({ credentials: wrong({ ...credentials, sessionToken: null }) }).token();
  expect(broker.asked[0]?.headers["x-amz-security-token"]).toBe(undefined);
});

it("an undefined option counts as none", () => {
  const options = { session: undefined, fetch: undefined, timeoutMs: undefined, onRetry: undefined };
  expect(new TokenBrokerClient({ scope: "sales", endpoint, region, ...options }).scope).toBe("sales");
});

describe("the option fetch", () => {
  it("sends the requests to the broker, and follows no redirect", async () => {
    const { another, broker } = await clientStand();
    const sent: Parameters<BrokerFetch>[] = [];
    const client = another({
      fetch: (url, init) => {
        sent.push([url, init]);
        return fetch(url, init);
      },
    });
    expect((await client.token()).leaseId).toBe("lease-1");
    await client.permissions().catch(() => {});
    expect(sent.map(([url, { method, redirect }]) => [new URL(url).pathname, method, redirect])).toEqual([
      ["/v1/scopes/sales/token", "POST", "manual"],
      ["/v1/scopes", "GET", "manual"],
    ]);
    expect(broker.asked.length).toBe(2);
  });

  it.each([
    undefined,
    null,
    "x",
    {},
    { status: 200 },
    { status: "200", headers: new Map(), text: () => "{}" },
    { status: 200, headers: {}, text: () => "{}" },
    { status: 200, headers: new Map(), text: "{}" },
  ])("is named in the error when it gives %o", async (answer) => {
    const { another } = await clientStand();
    const error = await failure(another({ fetch: wrong(() => answer) }).token());
    expect([error.code, error.message]).toEqual([
      "bad_request",
      expect.stringContaining("`fetch` gave no Response"),
    ]);
  });

  it("may give headers that are no texts", async () => {
    const { another } = await clientStand();
    const odd = { status: 503, headers: { get: () => 5 }, text: () => 5 };
    const error = await failure(another({ fetch: wrong(() => odd), timeoutMs: 60 }).token());
    expect([error.code, error.status]).toEqual(["not_a_broker", 503]);
  });

  it("without an answer is given up in time, also where it does not know signals", async () => {
    const { another } = await clientStand();
    const client = another({ fetch: () => new Promise(() => {}), timeoutMs: 100 });
    expect((await failure(client.token())).code).toBe("timed_out");
  });

  it("with an error of its own shows no header", async () => {
    const { another } = await clientStand();
    const keys = { ...credentials, sessionToken: "planted-session-token" };
    const client = another({
      credentials: keys,
      fetch: (_, { headers }) => Promise.reject(new Error(JSON.stringify(headers))),
    });
    const error = await failure(client.token());
    expect([error.code, error.retryable]).toEqual(["unreachable", false]);
    expect(JSON.stringify([error.message, error.cause])).not.toContain("planted");
  });
});
