/** Options that are misspelt, missing or not possible fail when they are given, and not later at the broker. */
import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../test/support/failure.ts";
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
const wrong = (options: object): any => options;

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
    const error = await thrown(() => new TokenBrokerClient(wrong(options as object)));
    expect([error.code, error.summary]).toEqual([
      "bad_request",
      "TokenBrokerClient needs the option `scope`.",
    ]);
  });

  it.each([null, 5, ["sales"]])("is no %j", async (scope) => {
    const error = await thrown(() => new TokenBrokerClient(wrong({ scope, endpoint, region })));
    expect(error.message).toContain("A scope's name is");
  });
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
