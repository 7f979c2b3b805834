import { describe, expect, it } from "vitest";
import { configurationDigest } from "../../../../functions/domain/lease.ts";
import type { Scope } from "../../../../functions/domain/scope.ts";
import { countLeases, listLeases, revokeLeases } from "../../../../functions/use-cases/operate.ts";
import {
  account,
  callerKey,
  inMemoryBroker,
  lookerUrl,
  sales,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, operatePorts, sweepNow } from "../../../support/fakes/in-memory-operator.ts";

const otherSecret = "looker/sales-2";
const otherUrl = "https://other.cloud.looker.com";

/** What is deployed, and what takes its place. */
const today = sales;
const withOtherSecret: Scope = { ...sales, secretId: otherSecret };
const withOtherUrl: Scope = { ...sales, baseUrl: otherUrl };

function setUp() {
  const broker = inMemoryBroker();
  broker.stored.set(otherSecret, { clientId: "clientTwo", clientSecret: "two", versionId: "version-2" });
  const ports = operatePorts(broker);
  const job = () => ({ scope: sales, deadline: broker.clock.now() + 24_000, audit: {} });
  return {
    ...broker,
    broker,
    ports,
    job,
    list: async () => (await listLeases(ports, job(), { partition: 0, after: undefined })).leases,
  };
}

describe.each([
  ["secret", withOtherSecret],
  ["Looker", withOtherUrl],
])("two versions of a scope side by side, each with a %s of its own", (_, next) => {
  it("log in once each, however requests are mixed", async () => {
    const { ask, looker, clock } = setUp();
    const served = new Map<string, Set<string>>();
    for (let second = 0; second < 270; second++) {
      const scope = second % 10 === 3 ? next : today;
      const { token, code } = await ask({ scope });
      expect(code).toBe("ok");
      expect(token?.baseUrl).toBe(scope.baseUrl);
      const digest = configurationDigest(scope);
      served.set(digest, (served.get(digest) ?? new Set()).add(token?.accessToken ?? ""));
      clock.jump(1_000);
    }
    expect(looker.logins()).toBe(2);
    expect([...served.values()].map(({ size }) => size)).toEqual([1, 1]);
    expect(looker.logouts()).toEqual([]);
  });

  it("each renew their own for as long as the deployment lasts, and nothing is left of either afterwards", async () => {
    const { broker, ask, looker, clock } = setUp();
    const end = clock.now() + 3_600_000;
    let requests = 0;
    while (clock.now() < end) {
      expect((await ask({ scope: requests++ % 2 === 0 ? next : today })).code).toBe("ok");
      clock.jump(10_000);
      if (requests % 6 === 0) await sweepNow(broker);
    }
    // An hour is at most five lives of 75 % of 15 minutes, and the first.
    expect(looker.logins()).toBeLessThanOrEqual(2 * 6);
    clock.jump(901_000);
    await sweepNow(broker);
    expect(looker.live.size).toBe(0);
    expect(await broker.slot()).toMatchObject({ superseded: [], outbox: [], lease: undefined });
  });

  it("and a rollback goes on with the lease of before", async () => {
    const { issue, looker, clock } = setUp();
    const before = await issue({ scope: today });
    clock.jump(60_000);
    await issue({ scope: next });
    clock.jump(60_000);
    expect((await issue({ scope: today })).leaseId).toBe(before.leaseId);
    expect(looker.logins()).toBe(2);
  });

  it("are both listed as live, until one of them is renewed", async () => {
    const { issue, list, clock } = setUp();
    const first = await issue({ scope: today });
    clock.jump(1_000);
    const second = await issue({ scope: next });
    const states = async () =>
      Object.fromEntries((await list()).map(({ leaseId, state }) => [leaseId, state]));
    expect(await states()).toEqual({ [first.leaseId]: "live", [second.leaseId]: "live" });
    clock.jump(800_000);
    const third = await issue({ scope: next });
    expect(await states()).toEqual({
      [first.leaseId]: "live",
      [second.leaseId]: "superseded",
      [third.leaseId]: "live",
    });
  });

  it("share neither failures nor budget: what is wrong with one refuses nothing to the other", async () => {
    const { ask, logOut, looker, clock } = setUp();
    const wrong = (scope: Scope) => looker.ledger.at(-1)?.baseUrl === scope.baseUrl;
    looker.onLogin = () => {
      const call = looker.ledger.at(-1);
      const isNext = call?.kind === "login" && (call.clientId === "clientTwo" || wrong(withOtherUrl));
      return isNext ? { kind: "unreached", reason: "refused" } : undefined;
    };
    expect((await ask({ scope: next })).code).toBe("looker_unavailable");
    expect((await ask({ scope: today })).code).toBe("ok");
    expect((await ask({ scope: next })).code).toBe("looker_unavailable");
    await logOut();
    // Another login of today's does not forget the other's back-off, and is not kept by it.
    expect((await ask({ scope: today })).code).toBe("ok");
    expect((await ask({ scope: next })).code).toBe("looker_unavailable");
    looker.onLogin = undefined;
    clock.jump(30_000);
    const once = { ...next, mintsPerTenMinutes: 1 };
    expect((await ask({ scope: once })).code).toBe("ok");
    await logOut();
    expect((await ask({ scope: once })).code).toBe("too_many_mints");
    expect((await ask({ scope: today })).code).toBe("ok");
  });

  it("and a lease reported stale ends for its own version alone", async () => {
    const { issue, looker, clock } = setUp();
    const first = await issue({ scope: today });
    clock.jump(1_000);
    const second = await issue({ scope: next });
    clock.jump(20_000);
    const third = await issue({ scope: today, staleLeaseId: first.leaseId });
    expect(third.leaseId).not.toBe(first.leaseId);
    expect((await issue({ scope: next })).leaseId).toBe(second.leaseId);
    // To the other version, the report of a lease that is not its own means nothing.
    expect((await issue({ scope: next, staleLeaseId: third.leaseId })).leaseId).toBe(second.leaseId);
    expect(looker.logins()).toBe(3);
  });

  it("are both ended by a caller's logout and by an operator", async () => {
    const { issue, logOut, looker, ports, job, clock } = setUp();
    for (const end of [
      () => logOut(),
      () => revokeLeases(ports, job(), { callerArn: callerKey().callerArn }),
      () => revokeLeases(ports, job(), { all: true }),
    ]) {
      await issue({ scope: today });
      await issue({ scope: next });
      expect(await end()).toMatchObject({ revoked: 2, pending: 0 });
      expect(looker.live.size).toBe(0);
      clock.jump(1_000);
    }
  });
});

describe("a user whose old and new name arrive in turns", () => {
  const named = (name: string) => ({
    ...numberedCaller(1),
    callerArn: `arn:aws:iam::${account}:user/${name}`,
  });

  it("logs in once, and one write adds the name", async () => {
    const { issue, looker, table, clock } = setUp();
    await issue({ key: named("alice") });
    table.calls.length = 0;
    for (let second = 0; second < 270; second++) {
      await issue({ key: named(second % 2 === 0 ? "bob" : "alice") });
      clock.jump(1_000);
    }
    expect(looker.logins()).toBe(1);
    expect(table.calls.filter(({ operation }) => operation === "write")).toHaveLength(1);
  });

  it("is found by either name, and by no other", async () => {
    const { issue, ports, job } = setUp();
    await issue({ key: named("alice") });
    await issue({ key: named("bob") });
    const matched = async (name: string) =>
      (await countLeases(ports, job(), { callerArn: named(name).callerArn })).matched;
    expect(await Promise.all(["alice", "bob", "carol"].map(matched))).toEqual([1, 1, 0]);
  });

  it("is served under a name only once the row bears it", async () => {
    const { issue, ask, table, looker } = setUp();
    await issue({ key: named("alice") });
    table.before = (operation) => {
      if (operation === "write") throw new Error("no write");
    };
    await expect(ask({ key: named("bob") })).rejects.toThrow("no write");
    table.before = undefined;
    let bornBy: readonly string[] = [];
    table.after = async (operation) => {
      if (operation === "write") bornBy = (await table.slots.read(named("bob"))).names;
    };
    expect((await ask({ key: named("bob") })).code).toBe("ok");
    expect(bornBy).toEqual([named("bob").callerArn, named("alice").callerArn]);
    expect(looker.logins()).toBe(1);
  });

  it("keeps its last four names", async () => {
    const { broker, issue } = setUp();
    for (const name of ["one", "two", "three", "four", "five"]) await issue({ key: named(name) });
    expect((await broker.slot(named("one"))).names).toEqual(
      ["five", "four", "three", "two"].map((name) => named(name).callerArn),
    );
  });
});

describe("one secret at two Lookers", () => {
  const callers = Array.from({ length: 40 }, (_, number) => numberedCaller(number));

  it("that refuses the pair at one costs one login there, though it has worked at the other", async () => {
    const { broker, ask, looker } = setUp();
    await ask({ scope: today });
    looker.onLogin = () => (looker.ledger.at(-1)?.baseUrl === otherUrl ? { kind: "rejected" } : undefined);
    looker.loginMs = 300;
    await Promise.all(callers.map((key) => ask({ scope: withOtherUrl, key, on: broker.instance() })));
    for (const key of callers) await ask({ scope: withOtherUrl, key });
    const refused = looker.ledger.filter(({ kind, baseUrl }) => kind === "login" && baseUrl === otherUrl);
    expect(refused).toHaveLength(1);
    for (const key of callers) expect((await ask({ scope: today, key })).code).toBe("ok");
  });

  it("of which one asks for fewer logins is used at the other", async () => {
    const { ask, looker, table } = setUp();
    looker.onLogin = () =>
      looker.ledger.at(-1)?.baseUrl === otherUrl ? { kind: "throttled", retryAfterSeconds: 60 } : undefined;
    expect((await ask({ scope: withOtherUrl, key: numberedCaller(1) })).code).toBe("looker_unavailable");
    expect((await ask({ scope: withOtherUrl, key: numberedCaller(2) })).problem?.retryAfterSeconds).toBe(60);
    expect((await ask({ scope: today, key: numberedCaller(3) })).code).toBe("ok");
    expect((await table.secretControls.read(secretId)).throttles).toMatchObject([{ baseUrl: otherUrl }]);
    expect(lookerUrl).not.toBe(otherUrl);
  });
});
