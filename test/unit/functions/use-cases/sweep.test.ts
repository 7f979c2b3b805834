import { describe, expect, it } from "vitest";
import { clockSkewMs, lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { parseScopes, type Scope } from "../../../../functions/domain/scope.ts";
import { lockMs } from "../../../../functions/domain/slot.ts";
import type { IssuedToken } from "../../../../functions/use-cases/issue.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import {
  account,
  callerKey,
  fixedLimits,
  inMemoryBroker,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, sweepNow } from "../../../support/fakes/in-memory-operator.ts";

const hour = 3_600_000;

/** A scope at another Looker, with the same secret: the fakes do not mind. */
function scopeAt(lookerUrl: string): Scope {
  const callers = [`arn:aws:iam::${account}:role/report-service`];
  const scope = parseScopes({
    other: { ...fixedLimits, lookerUrl, secret: { secretName: secretId }, callers, operators: callers },
  }).get("other");
  if (!scope) throw new Error("no such scope");
  return scope;
}

describe("what is due", () => {
  it("an ended lease is logged out at its end, not forgotten", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    expect(await sweepNow(broker)).toMatchObject({ revoked: 0, pending: 0 });
    expect(broker.looker.live.size).toBe(1);
    broker.clock.jump(901_000);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 1, pending: 0 });
    expect(broker.looker.live.size).toBe(0);
    expect(await broker.slot()).toMatchObject({ lease: undefined, outbox: [] });
  });

  it("a superseded token is logged out at its own end, and its successor stays", async () => {
    const broker = inMemoryBroker();
    const old = await broker.issue();
    broker.clock.jump(850_000);
    const fresh = await broker.issue();
    expect(fresh.leaseId).not.toBe(old.leaseId);
    await sweepNow(broker);
    expect(broker.looker.live).toEqual(new Set([old.accessToken, fresh.accessToken]));
    broker.clock.jump(51_000);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 1, pending: 0 });
    expect(broker.looker.live).toEqual(new Set([fresh.accessToken]));
  });

  it("a removed scope's leases end as well: rows carry what it needs", async () => {
    const broker = inMemoryBroker();
    const scope = scopeAt("https://removed.cloud.looker.com");
    await broker.issue({ scope, key: callerKey("AROAREMOVED000000000", "other") });
    broker.clock.jump(901_000);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 1 });
    expect(broker.looker.ledger.at(-1)).toMatchObject({
      kind: "logout",
      baseUrl: "https://removed.cloud.looker.com",
    });
  });

  it("nothing due: nothing read but the index, nothing written", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.table.calls.length = 0;
    await sweepNow(broker);
    expect(broker.table.calls.map(({ operation }) => operation)).toEqual(["queryDue"]);
  });

  it("an index entry whose row is gone writes nothing", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.clock.jump(901_000);
    broker.table.after = (operation) => {
      if (operation === "queryDue") broker.table.items.clear();
    };
    expect(await sweepNow(broker)).toMatchObject({ revoked: 0, pending: 0 });
    expect(broker.table.items.size).toBe(0);
  });
});

describe("logouts that Looker does not confirm", () => {
  it("are tried again after 15 s, 30 s, 60 s … at most 5 min, until confirmed", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.looker.onLogout = () => "unconfirmed";
    await broker.logOut();
    const began = broker.clock.now();
    const tried: number[] = [];
    for (let second = 1; second <= 1_200; second++) {
      broker.clock.jump(1_000);
      const before = broker.looker.logouts().length;
      await sweepNow(broker);
      if (broker.looker.logouts().length > before) tried.push((broker.clock.now() - began) / 1_000);
    }
    expect(tried.map((at, index) => at - (tried[index - 1] ?? 0))).toEqual([15, 30, 60, 120, 240, 300, 300]);
    broker.looker.onLogout = undefined;
    broker.clock.jump(300_000);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 1, pending: 0 });
    expect(broker.looker.live.size).toBe(0);
    expect(await broker.slot()).toMatchObject({ outbox: [] });
  });

  it("are `expired`, not revoked, once the token's Looker life is over", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.looker.onLogout = () => "unconfirmed";
    await broker.logOut();
    const logouts = broker.looker.logouts().length;
    broker.clock.jump(hour + lookerGraceMs);
    const { revoked, pending, audit } = await sweepNow(broker);
    expect({ revoked, pending, expired: audit.expired }).toEqual({
      revoked: 0,
      pending: 0,
      expired: 1,
    });
    expect(broker.looker.logouts()).toHaveLength(logouts);
    expect(await broker.slot()).toMatchObject({ outbox: [], lease: undefined });
  });

  it("are not sent while KMS is away, and nothing is forgotten", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.clock.jump(901_000);
    broker.sealer.down = true;
    expect(await sweepNow(broker)).toMatchObject({ revoked: 0, pending: 1 });
    expect(broker.looker.logouts()).toEqual([]);
    broker.sealer.down = false;
    broker.clock.jump(15_000);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 1, pending: 0 });
  });
});

describe("a host in trouble", () => {
  it("is left alone after five failures in a row, and other hosts are served", async () => {
    const broker = inMemoryBroker();
    const sick = "https://sick.cloud.looker.com";
    const scope = scopeAt(sick);
    for (let number = 0; number < 60; number++)
      await broker.issue({ scope, key: numberedCaller(number, "report-service", "other") });
    broker.clock.jump(1_000);
    const healthy: IssuedToken[] = [];
    for (let number = 0; number < 5; number++)
      healthy.push(await broker.issue({ key: numberedCaller(number) }));
    broker.clock.jump(901_000);
    broker.looker.onLogout = (token) =>
      healthy.some((each) => each.accessToken === token) ? undefined : "failed";
    const { revoked, pending } = await sweepNow(broker);
    expect({ revoked, pending }).toEqual({ revoked: 5, pending: 60 });
    const sent = broker.looker.ledger.filter((call) => call.kind === "logout" && call.baseUrl === sick);
    // Five, and those that were under way with the fifth: an account begins with four at once.
    expect(sent.length).toBeGreaterThanOrEqual(5);
    expect(sent.length).toBeLessThanOrEqual(5 + 3);
    // Those that were not tried are as due as before: no back-off was earned.
    broker.looker.onLogout = undefined;
    expect((await sweepNow(broker)).revoked).toBe(60 - sent.length);
    broker.clock.jump(15_000);
    expect((await sweepNow(broker)).revoked).toBe(sent.length);
    expect(broker.looker.live.size).toBe(0);
  });

  it("and slow takes nobody else's turn", async () => {
    const broker = inMemoryBroker();
    const slow = "https://slow.cloud.looker.com";
    for (let number = 0; number < 100; number++)
      await broker.issue({ scope: scopeAt(slow), key: numberedCaller(number, "report-service", "other") });
    broker.clock.jump(1_000);
    const { accessToken } = await broker.issue({ key: numberedCaller(1) });
    broker.clock.jump(901_000);
    const startedAt = broker.clock.now();
    let endedAt = 0;
    broker.looker.onLogout = async (token) => {
      if (token === accessToken) endedAt = broker.clock.now();
      else await broker.clock.sleep(1_000);
      return undefined;
    };
    await sweepNow(broker);
    expect(endedAt - startedAt).toBeLessThan(1_000);
    expect(broker.looker.live.size).toBe(0);
  });

  it("that answers in between is no host in trouble", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 40; number++) await broker.issue({ key: numberedCaller(number) });
    broker.clock.jump(901_000);
    let asked = 0;
    broker.looker.onLogout = () => (asked++ % 4 === 3 ? undefined : "failed");
    await sweepNow(broker);
    expect(broker.looker.logouts()).toHaveLength(40);
  });
});

describe("locks that ran out without an outcome", () => {
  it("are counted as possible orphans once, and cleared", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => new Promise(() => {});
    void broker.ask();
    await broker.clock.advance(0);
    expect((await broker.slot()).mint).toBeDefined();
    await broker.clock.advance(lockMs + clockSkewMs - 1_000);
    expect((await sweepNow(broker)).audit.possible_orphans).toBeUndefined();
    await broker.clock.advance(2_000);
    expect((await sweepNow(broker)).audit.possible_orphans).toBe(1);
    expect((await broker.slot()).mint).toBeUndefined();
    expect((await sweepNow(broker)).audit.possible_orphans).toBeUndefined();
  });

  it("whose owner comes back after all: its token goes to the outbox and is ended", async () => {
    const broker = inMemoryBroker();
    // The secret has proven itself: its first use would be guarded by more than the lock.
    const other = await broker.issue({ key: numberedCaller(1) });
    let thaw: (() => void) | undefined;
    broker.looker.onLogin = async () => {
      await new Promise<void>((resolve) => {
        thaw = resolve;
      });
      return undefined;
    };
    const late = broker.ask({ budgetMs: 10 * hour });
    await broker.clock.advance(lockMs + clockSkewMs + 1_000);
    await sweepNow(broker);
    broker.looker.onLogin = undefined;
    const fresh = await broker.issue({ on: broker.instance() });
    thaw?.();
    const { token } = await late;
    expect(token?.leaseId).toBe(fresh.leaseId);
    expect(broker.looker.live).toEqual(new Set([other.accessToken, fresh.accessToken]));
  });
});

describe("safe", () => {
  it("twice at once", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 30; number++) await broker.issue({ key: numberedCaller(number) });
    const control = await broker.table.scopeControls.read("sales");
    broker.clock.jump(901_000);
    await Promise.all([sweepNow(broker), sweepNow(broker), sweepNow(broker)]);
    expect(broker.looker.live.size).toBe(0);
    for (let number = 0; number < 30; number++)
      expect(await broker.slot(numberedCaller(number))).toMatchObject({
        lease: undefined,
        outbox: [],
        superseded: [],
      });
    expect(await broker.table.scopeControls.read("sales")).toEqual(control);
  });

  it("not at all for an hour: what is over by itself is counted as expired", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 10; number++) await broker.issue({ key: numberedCaller(number) });
    broker.clock.jump(2 * hour);
    const { revoked, pending, audit } = await sweepNow(broker);
    expect({ revoked, pending, expired: audit.expired }).toEqual({
      revoked: 0,
      pending: 0,
      expired: 10,
    });
  });

  it("when a row cannot be read or written: the others are swept", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 10; number++) await broker.issue({ key: numberedCaller(number) });
    broker.row(numberedCaller(3)).schema = 99;
    broker.clock.jump(901_000);
    const sick = numberedCaller(4).uniqueId;
    broker.table.before = (operation, key) => {
      if (operation === "write" && key.includes(sick)) throw new Unavailable("dynamodb");
    };
    const { revoked, audit } = await sweepNow(broker);
    expect({ revoked, unreadable: audit.unreadable, reason: audit.reason }).toEqual({
      revoked: 8,
      unreadable: 1,
      reason: "dynamodb_unavailable",
    });
  });

  it("when its time is over: it begins nothing that it cannot end", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 10; number++) await broker.issue({ key: numberedCaller(number) });
    broker.clock.jump(901_000);
    const { revoked, pending } = await sweepNow(broker, { budgetMs: 8_000 });
    expect({ revoked, pending }).toEqual({ revoked: 0, pending: 10 });
    expect(broker.looker.logouts()).toEqual([]);
    expect(await sweepNow(broker)).toMatchObject({ revoked: 10 });
  });
});
