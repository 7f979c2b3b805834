import { describe, expect, it } from "vitest";
import { refreshAt } from "../../../../functions/domain/lease.ts";
import {
  callerKey,
  inMemoryBroker,
  lookerUrl,
  sales,
  scopeNamed,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";

const operator = "arn:aws:iam::111122223333:role/oncall";
const minutes = 60_000;

async function withLease() {
  const broker = inMemoryBroker();
  const token = await broker.issue();
  broker.table.calls.length = 0;
  return { ...broker, token };
}

describe("the first request", () => {
  it("logs in once and answers with the token", async () => {
    const broker = inMemoryBroker();
    const { token, audit } = await broker.ask();
    expect(token).toMatchObject({ accessToken: "looker-token-1", expiresInSeconds: 900, baseUrl: lookerUrl });
    expect(broker.looker.ledger).toMatchObject([
      { kind: "login", baseUrl: lookerUrl, clientId: "clientOne", clientSecret: "secret-of-one" },
    ]);
    expect(audit).toMatchObject({
      outcome: "minted",
      lease_id: token?.leaseId,
      client_id: "clientOne",
    });
  });

  it("keeps neither token nor secret in the clear", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    const rows = JSON.stringify([...broker.table.items.values()]);
    expect(rows).not.toContain("looker-token-1");
    expect(rows).not.toContain("secret-of-one");
  });

  it("reads the secret and the control items after the lock was taken", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    const operations = broker.table.calls.map(({ operation }) => operation);
    expect(operations.indexOf("readControls")).toBeGreaterThan(operations.indexOf("write"));
  });

  it("takes Looker's word where the token ends before the scope's lease would", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = 300;
    expect((await broker.issue()).expiresInSeconds).toBe(300);
  });

  it("does not believe a token that lives for ever", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = Number.MAX_SAFE_INTEGER;
    expect((await broker.issue()).expiresInSeconds).toBe(900);
    expect((await broker.slot()).lease?.lookerEndsAt).toBeLessThanOrEqual(
      broker.clock.now() + 366 * 86_400_000,
    );
  });

  it("counts the lease's life from the lock, not from Looker's answer", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 3_000;
    expect((await broker.issue()).expiresInSeconds).toBe(897);
  });
});

describe("the hot path", () => {
  it("reads once, writes nothing, asks neither Looker nor Secrets Manager", async () => {
    const { ask, table, looker, first, token } = await withLease();
    const again = await ask();
    expect(again.token).toEqual(token);
    expect(again.audit.outcome).toBe("hit");
    expect(table.calls.map(({ operation }) => operation)).toEqual(["readForIssue"]);
    expect([looker.logins(), first.secrets.reads]).toEqual([1, 1]);
  });

  it("says what remains of the lease", async () => {
    const { issue, clock } = await withLease();
    clock.jump(100_500);
    expect((await issue()).expiresInSeconds).toBe(799);
  });

  it("gives every caller and every scope a token of its own", async () => {
    const { issue, token } = await withLease();
    const other = await issue({ key: callerKey("AROAREPORTSERVICE999") });
    const people = await issue({
      key: callerKey("AROAREPORTSERVICE000", "people"),
      scope: scopeNamed("people"),
    });
    expect(new Set([token, other, people].map(({ accessToken }) => accessToken)).size).toBe(3);
  });
});

describe("a lease is not served", () => {
  it("when less life is left than was asked for", async () => {
    const { issue, looker, clock } = await withLease();
    clock.jump(7 * minutes);
    expect(await issue({ minTtlSeconds: 479 })).toMatchObject({ accessToken: "looker-token-1" });
    expect(await issue({ minTtlSeconds: 481 })).toMatchObject({ accessToken: "looker-token-2" });
    expect(looker.logouts()).toEqual([]);
  });

  it("after its end, even where nobody swept it", async () => {
    const { issue, clock } = await withLease();
    clock.jump(15 * minutes);
    expect((await issue()).accessToken).toBe("looker-token-2");
  });

  it("once its scope's epoch was raised", async () => {
    const { issue, table } = await withLease();
    await table.scopeControls.write("sales", { version: 1, writeId: "w", epoch: 1 }, 0);
    expect((await issue()).accessToken).toBe("looker-token-2");
    expect((await issue()).accessToken).toBe("looker-token-2");
  });

  it("while its scope is frozen, and nothing is asked of Looker then", async () => {
    const { ask, table, looker, clock } = await withLease();
    const frozen = { by: operator, at: clock.now(), reason: "incident" };
    await table.scopeControls.write("sales", { version: 1, writeId: "w", epoch: 1, frozen }, 0);
    expect((await ask()).code).toBe("scope_frozen");
    expect((await ask({ key: callerKey("AROAREPORTSERVICE999") })).code).toBe("scope_frozen");
    expect(looker.logins()).toBe(1);
  });

  it.each([
    ["URL", { baseUrl: "https://moved.cloud.looker.com" }],
    ["secret", { secretId: "looker/people" }],
  ])("when the scope's %s has changed since", async (_, changes) => {
    const { issue, looker } = await withLease();
    const moved = { ...sales, ...changes };
    expect((await issue({ scope: moved })).accessToken).toBe("looker-token-2");
    expect(looker.ledger.at(-1)).toMatchObject({ baseUrl: moved.baseUrl });
  });
});

describe("a freeze that comes while a login is under way", () => {
  it("is not overtaken by the token that the login brings", async () => {
    const broker = inMemoryBroker();
    const frozen = { by: operator, at: broker.clock.now(), reason: "incident" };
    broker.looker.onLogin = async () => {
      await broker.table.scopeControls.write("sales", { version: 1, writeId: "w", epoch: 1, frozen }, 0);
      return undefined;
    };
    expect((await broker.ask()).code).toBe("scope_frozen");
    const { lease } = await broker.slot();
    expect(lease?.epoch).toBe(0);
    broker.looker.onLogin = undefined;
    await broker.table.scopeControls.write("sales", { version: 2, writeId: "w2", epoch: 1 }, 1);
    expect((await broker.issue()).accessToken).toBe("looker-token-2");
  });

  it("before the controls are read stops the login", async () => {
    const broker = inMemoryBroker();
    const frozen = { by: operator, at: broker.clock.now(), reason: "incident" };
    broker.table.before = async (operation) => {
      if (operation !== "readControls") return;
      broker.table.before = undefined;
      await broker.table.scopeControls.write("sales", { version: 1, writeId: "w", epoch: 1, frozen }, 0);
    };
    expect((await broker.ask()).code).toBe("scope_frozen");
    expect(broker.looker.logins()).toBe(0);
    expect((await broker.slot()).mint).toBeUndefined();
  });
});

describe("a stale report", () => {
  it("of a lease that is old enough leads to one new login, and the old token is due for logout", async () => {
    const { issue, slot, clock, token } = await withLease();
    clock.jump(10_000);
    const fresh = await issue({ staleLeaseId: token.leaseId });
    expect(fresh.accessToken).toBe("looker-token-2");
    expect((await slot()).outbox).toMatchObject([{ leaseId: token.leaseId }]);
    expect(await issue({ staleLeaseId: token.leaseId })).toEqual(fresh);
  });

  it("of a lease that was just made leads to no login", async () => {
    const { ask, looker, clock, token } = await withLease();
    clock.jump(9_000);
    const { problem, code } = await ask({ staleLeaseId: token.leaseId });
    expect([code, problem?.retryAfterSeconds]).toEqual(["busy", 1]);
    expect(looker.logins()).toBe(1);
  });

  it("never ends another caller's lease", async () => {
    const { issue, slot, clock, token } = await withLease();
    clock.jump(10_000);
    await issue({ staleLeaseId: token.leaseId, key: callerKey("AROAREPORTSERVICE999") });
    expect((await slot()).lease?.leaseId).toBe(token.leaseId);
  });
});

describe("refreshing ahead", () => {
  it("logs in once and serves the old lease to everybody else meanwhile", async () => {
    const { ask, clock, looker, slot, token } = await withLease();
    const lease = (await slot()).lease;
    if (!lease) throw new Error("no lease");
    clock.jump(refreshAt(lease) - clock.now());
    const others: Awaited<ReturnType<typeof ask>>[] = [];
    looker.onLogin = async () => {
      others.push(...(await Promise.all([ask(), ask(), ask()])));
      return undefined;
    };
    expect((await ask()).token?.accessToken).toBe("looker-token-2");
    for (const other of others) expect(other.token?.leaseId).toBe(token.leaseId);
    expect(looker.logins()).toBe(2);
    expect((await slot()).superseded).toMatchObject([{ leaseId: token.leaseId }]);
  });

  it("that fails serves the old lease to the one who tried, too", async () => {
    const { ask, clock, looker, slot, token } = await withLease();
    const lease = (await slot()).lease;
    clock.jump(refreshAt(lease ?? { leaseId: "", issuedAt: 0, endsAt: 0 }) - clock.now());
    looker.onLogin = () => ({ kind: "unreached", reason: "refused" });
    expect((await ask()).token?.leaseId).toBe(token.leaseId);
    expect((await ask()).token?.leaseId).toBe(token.leaseId);
    expect(looker.logins()).toBe(2);
  });
});

it("the mint budget is spent by logins and refuses the next with the time to wait", async () => {
  const broker = inMemoryBroker();
  const scope = { ...sales, mintsPerTenMinutes: 2 };
  for (const _ of [1, 2]) {
    await broker.issue({ scope });
    await broker.logOut();
    broker.clock.jump(1_000);
  }
  const { code, problem } = await broker.ask({ scope });
  expect(code).toBe("too_many_mints");
  expect(problem?.retryAfterSeconds).toBe(598);
  expect(broker.looker.logins()).toBe(2);
});

it("secrets are read once in five minutes, whatever is asked", async () => {
  const broker = inMemoryBroker();
  for (const caller of ["AROAREPORTSERVICE001", "AROAREPORTSERVICE002"])
    await broker.issue({ key: callerKey(caller) });
  expect(broker.first.secrets.reads).toBe(1);
  broker.stored.set(secretId, { clientId: "clientTwo", clientSecret: "two", versionId: "version-2" });
  broker.clock.jump(300_000);
  await broker.issue({ key: callerKey("AROAREPORTSERVICE003") });
  expect(broker.looker.ledger.at(-1)).toMatchObject({ clientId: "clientTwo" });
});
