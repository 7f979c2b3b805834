/** The client and Looker's unmodified SDK against the whole broker on this machine. */
import { inspect } from "node:util";
import { Looker40SDK } from "@looker/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lookerSession } from "../../../client/src/looker-sdk.ts";
import {
  TokenBrokerClient,
  type TokenBrokerClientOptions,
} from "../../../client/src/token/token-broker-client.ts";
import { clockKey, systemClock } from "../../../client/src/waiting/clock.ts";
import type { LocalPrincipal } from "../../../local/principals.ts";
import {
  auditLines,
  callerOf,
  leaksIn,
  openFirstLock,
  type Stand,
  startStand,
  startsWithinMs,
  statusAtLooker,
  untilSeen,
} from "../../support/broker-stand.ts";
import { failure } from "../../support/failure.ts";

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
}, startsWithinMs);
afterAll(() => stand?.stop());

const principal = (name: string) => callerOf(stand, name).principal;

/** A process of this principal. */
function clientOf(name: string, options: Partial<TokenBrokerClientOptions> = {}): TokenBrokerClient {
  const { accessKeyId, secretAccessKey, sessionToken } = principal(name);
  return new TokenBrokerClient({
    endpoint: stand.broker.endpoint,
    region: stand.broker.region,
    scope: "sales",
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    timeoutMs: 15_000,
    ...options,
  });
}

const userAtLooker = (token: { baseUrl: string; accessToken: string }) =>
  fetch(`${token.baseUrl}/api/4.0/user`, { headers: { authorization: `Bearer ${token.accessToken}` } });

/** As an operator, by HTTP. */
const operate = (method: string, path: string, body?: object) =>
  callerOf(stand, "platform-engineer").send(method, `/scopes/sales${path}`, body && JSON.stringify(body));

/** The broker's records of this principal's requests for a token. */
const recordsOf = (name: string) =>
  auditLines(stand.broker).filter(
    ({ verb, caller }) => verb === "token" && caller?.arn === principal(name).callerArn,
  );

/** All tokens at once, as when each had lived its life. */
const expireTokensAtLooker = () => stand.broker.looker?.control.expireAllTokens();

describe("a service", () => {
  it("makes one request to the broker with a thousand parallel calls on a cold client", async () => {
    const before = recordsOf("report-service").length;
    const client = clientOf("report-service");
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => client.token()));
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
    // A later request, so that what came before it has been recorded.
    await clientOf("report-service").token();
    await untilSeen(() => recordsOf("report-service").length > before + 1, "the records of both requests");
    expect(recordsOf("report-service").length).toBe(before + 2);
  });

  it("goes on with a new lease when an operator has revoked its token", async () => {
    const client = clientOf("report-service");
    const first = await client.token();
    expect((await operate("DELETE", "/leases?all=true")).json.revoked).toBeGreaterThan(0);
    const statuses: number[] = [];
    const response = await client.withToken(async (token) => {
      const answer = await userAtLooker(token);
      statuses.push(answer.status);
      return answer;
    });
    expect(response.status).toBe(200);
    expect(statuses).toEqual([401, 200]);
    expect((await client.token()).leaseId).not.toBe(first.leaseId);
  });

  it("is told that the scope is frozen, and by which code", async () => {
    const client = clientOf("report-service");
    await client.token();
    await operate("PUT", "/freeze", { reason: "incident 42" });
    try {
      const error = await failure(client.withToken(userAtLooker));
      expect(error.code).toBe("scope_frozen");
      expect(error.message).toContain("frozen");
      const sdk = new Looker40SDK(lookerSession(clientOf("report-service")));
      expect((await failure(sdk.ok(sdk.me()))).code).toBe("scope_frozen");
    } finally {
      await operate("DELETE", "/freeze");
    }
  });

  it("in two processes of one role: a stale report of one costs the other a request", async () => {
    const [one, other] = [clientOf("nightly-job"), clientOf("nightly-job")];
    expect((await one.token()).leaseId).toBe((await other.token()).leaseId);
    const before = recordsOf("nightly-job").length;
    expireTokensAtLooker();
    // The broker takes a lease of less than ten seconds for good, and has whoever reports it wait until then.
    expect((await one.withToken(userAtLooker)).status).toBe(200);
    expect((await other.withToken(userAtLooker)).status).toBe(200);
    expect((await one.withToken(userAtLooker)).status).toBe(200);
    const { leaseId } = await one.token();
    expect((await other.token()).leaseId).toBe(leaseId);
    const given = () =>
      recordsOf("nightly-job")
        .slice(before)
        .filter(({ code }) => code === "ok");
    await untilSeen(() => given().length >= 2, "the records of both reports");
    expect(given().map(({ outcome, lease_id }) => [outcome, lease_id])).toEqual([
      ["minted", leaseId],
      ["hit", leaseId],
    ]);
  });

  it("logs out: the token is dead at Looker, and the next call gets another", async () => {
    const client = clientOf("report-service");
    const token = await client.token();
    expect(await client.logout()).toMatchObject({ pending: 0 });
    expect(await statusAtLooker(token.baseUrl, token.accessToken)).toBe(401);
    const next = await client.token();
    expect(next.leaseId).not.toBe(token.leaseId);
    expect(await statusAtLooker(next.baseUrl, next.accessToken)).toBe(200);
  });

  it("learns who it is, and what it may do", async () => {
    const client = clientOf("report-service");
    const { caller, grants } = await client.permissions();
    expect(caller.arn).toBe(principal("report-service").callerArn);
    expect(grants).toMatchObject([{ scope: "sales", may: ["token"] }]);
  });
});

describe("Looker's SDK", () => {
  it("works with the session, and again after its token was revoked", async () => {
    const sdk = new Looker40SDK(lookerSession(clientOf("report-service")));
    const me = await sdk.ok(sdk.me());
    await operate("DELETE", "/leases?all=true");
    expect(await sdk.ok(sdk.me())).toEqual(me);
  });

  it("makes one request to the broker with parallel cold calls", async () => {
    const before = recordsOf("report-service").length;
    const sdk = new Looker40SDK(lookerSession(clientOf("report-service")));
    await Promise.all(Array.from({ length: 10 }, () => sdk.ok(sdk.me())));
    await clientOf("report-service").token();
    await untilSeen(() => recordsOf("report-service").length > before + 1, "the records of both requests");
    expect(recordsOf("report-service").length).toBe(before + 2);
  });

  it("leaves no token alive after sdk.logout()", async () => {
    const session = lookerSession(clientOf("report-service"));
    const sdk = new Looker40SDK(session);
    await sdk.ok(sdk.me());
    const { access_token } = await session.getToken();
    await sdk.ok(sdk.logout());
    expect(await statusAtLooker(stand.broker.lookerUrl, access_token)).toBe(401);
  });
});

describe("what is wrong is said in one line", () => {
  const cases: [string, string, Partial<TokenBrokerClientOptions>][] = [
    ["not_allowed", "the scope does not list the caller", { scope: "finance" }],
    ["not_allowed", "there is no such scope", { scope: "no-such-scope" }],
    ["wrong_region", "signed for another region", { region: "eu-west-1" }],
    [
      "bad_credentials",
      "keys that AWS does not know",
      { credentials: { accessKeyId: "ASIAUNKNOWN", secretAccessKey: "x" } },
    ],
    ["unreachable", "nothing listens there", { endpoint: "http://127.0.0.1:1/v1", timeoutMs: 300 }],
    [
      "clock_skew",
      "a clock that is twenty minutes ahead",
      { [clockKey]: { ...systemClock, now: () => Date.now() + 20 * 60_000 } } as object,
    ],
  ];
  it.each(cases)("%s: %s", async (code, _, options) => {
    const local: LocalPrincipal = principal("report-service");
    openFirstLock(stand.broker, local);
    const error = await failure(clientOf("report-service", options).token());
    const sdk = new Looker40SDK(lookerSession(clientOf("report-service", options)));
    expect((await failure(sdk.ok(sdk.me()))).code).toBe(code);
    expect(error.code).toBe(code);
    expect(leaksIn(inspect(error, { depth: 9, showHidden: true }), stand.secrets)).toBe(0);
    expect(error.message).not.toContain("\n");
    expect(error.hint).not.toContain("\n");
    if (code === "clock_skew") expect(error.summary).toBe("This machine's clock is 20 minutes ahead.");
  });

  it("access_denied: the caller's IAM policy does not allow the scope", async () => {
    const error = await failure(clientOf("finance-service").token());
    expect(error.code).toBe("access_denied");
    expect(error.message).toContain("execute-api:Invoke");
  });

  it("no_such_route: an endpoint without its stage", async () => {
    const endpoint = new URL(stand.broker.endpoint).origin;
    expect((await failure(clientOf("report-service", { endpoint }).token())).code).toBe("no_such_route");
  });

  it("not_a_broker: the endpoint is Looker's", async () => {
    const endpoint = stand.broker.lookerUrl;
    expect((await failure(clientOf("report-service", { endpoint }).token())).code).toBe("not_a_broker");
  });
});

describe("a broker that restarts", () => {
  it("is not noticed by a service that holds a live token, and is found again", async () => {
    const own = await startStand();
    let again: Stand | undefined;
    try {
      const { port } = new URL(own.broker.endpoint);
      const { accessKeyId, secretAccessKey, sessionToken } = callerOf(own, "report-service").principal;
      let keys = { accessKeyId, secretAccessKey, sessionToken };
      const client = new TokenBrokerClient({
        endpoint: own.broker.endpoint,
        region: own.broker.region,
        scope: "sales",
        // The keys of the local principals are new at each start: credentials that change during the run.
        credentials: async () => keys,
        // Starting a broker takes a while on a busy machine.
        timeoutMs: 90_000,
      });
      const sdk = new Looker40SDK(lookerSession(client));
      const me = await sdk.ok(sdk.me());
      const { leaseId } = await client.token();
      await own.stop();
      expect((await client.token()).leaseId).toBe(leaseId);
      const waiting = client.token({ minTtlSeconds: 900 }).catch((error) => error);
      again = await startStand({ port: Number(port) });
      keys = { ...callerOf(again, "report-service").principal };
      // More than half of a lease may not be asked for: it is the new broker that says so.
      expect((await waiting).code).toBe("bad_request");
      expect((await client.logout()).pending).toBe(0);
      // The stand-in Looker has come back at another address, which the new token names.
      expect(await sdk.ok(sdk.me())).toEqual(me);
      expect((await client.token()).leaseId).not.toBe(leaseId);
    } finally {
      await again?.stop();
    }
  });
});
