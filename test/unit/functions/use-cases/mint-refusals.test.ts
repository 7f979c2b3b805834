import { describe, expect, it } from "vitest";
import { attemptBackoffMs, denyClientId } from "../../../../functions/domain/control.ts";
import { loginTimeoutMs } from "../../../../functions/domain/lease.ts";
import { lockMs } from "../../../../functions/domain/slot.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import {
  callerKey,
  firstSecret,
  type InMemoryBroker,
  inMemoryBroker,
  sales,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";

const anotherCaller = callerKey("AROAANOTHERSERVICE00");
const isSlot = (key: string) => key.includes("caller#");
const isSecret = (key: string) => key.startsWith("secret#");
const secretReads = (broker: InMemoryBroker) => broker.table.calls.filter(({ key }) => isSecret(key)).length;

/** An unanswered login: `trying` stands. */
async function withOpenAttempt() {
  const broker = inMemoryBroker();
  broker.looker.onLogin = (call) => (call === 1 ? { kind: "unknown", reason: "timeout" } : undefined);
  await broker.ask();
  return broker;
}

describe("a version with an open first login", () => {
  it("sends other callers away for a second", async () => {
    const broker = await withOpenAttempt();
    broker.clock.jump(2 * loginTimeoutMs - 1);
    const { code, problem, audit } = await broker.ask({ key: anotherCaller });
    expect([code, problem?.retryAfterSeconds]).toEqual(["busy", 1]);
    expect((await broker.slot(anotherCaller)).failures).toMatchObject([
      { until: broker.clock.now() + 1_000 },
    ]);
    expect(audit).toMatchObject({ reason: "secret_trying", lockouts_avoided: 1, mint_failure: "busy" });
    expect(audit.login_attempts).toBeUndefined();
  });

  it("sends other callers away for ten seconds once it is older than two logins, and tells them about the lock-out", async () => {
    const broker = await withOpenAttempt();
    broker.clock.jump(2 * loginTimeoutMs);
    const { code, problem, audit } = await broker.ask({ key: anotherCaller });
    expect([code, problem?.retryAfterSeconds]).toEqual(["looker_unavailable", 10]);
    expect(problem?.detail).toMatch(/ended without an answer.*lock-out/);
    expect(audit.reason).toBe("secret_trying");
  });

  it("is tried again at the end of its back-off", async () => {
    const broker = await withOpenAttempt();
    broker.clock.jump(attemptBackoffMs - 3_000);
    expect((await broker.ask({ key: anotherCaller })).problem?.retryAfterSeconds).toBe(3);
    broker.clock.jump(3_000);
    expect((await broker.ask({ key: anotherCaller })).code).toBe("ok");
  });

  it("is not tried twice when two instances begin together", async () => {
    const broker = inMemoryBroker();
    let overtaken = false;
    broker.table.before = async (operation, key) => {
      if (operation !== "write" || !isSecret(key) || overtaken) return;
      overtaken = true;
      const row = await broker.table.secretControls.read(secretId);
      const { versionId } = firstSecret;
      const { baseUrl } = sales;
      const at = broker.clock.now();
      const attempt = { versionId, baseUrl, state: "trying", owner: "other", clientId: "digest" } as const;
      const attempts = [{ ...attempt, at, until: at + attemptBackoffMs }];
      await broker.table.secretControls.write(secretId, { ...row, version: 1, writeId: "w", attempts }, 0);
    };
    const { code, audit } = await broker.ask();
    expect([code, audit.reason]).toEqual(["busy", "secret_trying"]);
    expect(broker.looker.logins()).toBe(0);
  });
});

describe("the record has the reason against a login:", () => {
  it("a client id that an operator denied, without an avoided lock-out", async () => {
    const broker = inMemoryBroker();
    const row = await broker.table.secretControls.read(secretId);
    const next = denyClientId(row, firstSecret.clientId, 0) ?? expect.fail("no room");
    await broker.table.secretControls.write(secretId, { ...next, version: 1, writeId: "w" }, 0);
    const { audit, problem } = await broker.ask();
    expect(audit).toMatchObject({ reason: "secret_denied", mint_failure: "looker_rejected_credentials" });
    expect(problem?.detail).toMatch(/^An operator has denied .*should store a new pair/);
    expect(audit.lockouts_avoided).toBeUndefined();
  });

  it("a client id that the secret's rotation denied, with no word of an operator's denial", async () => {
    const broker = inMemoryBroker();
    const row = await broker.table.secretControls.read(secretId);
    const { clientId, versionId } = firstSecret;
    const pair = { clientId, versionId, userId: "7", queuedAt: 0, movedAt: 0 };
    const rotation = { retiring: [{ ...pair, denied: { at: 0, by: "rotation" as const } }] };
    await broker.table.secretControls.write(secretId, { ...row, rotation, version: 1, writeId: "w" }, 0);
    const { audit, problem } = await broker.ask();
    expect(audit).toMatchObject({ reason: "secret_retired", mint_failure: "looker_rejected_credentials" });
    expect(problem?.detail).toMatch(
      /^The secret's rotation has retired .*within five minutes .*newest version/,
    );
    expect(problem?.detail).not.toContain("denied");
    expect(audit.lockouts_avoided).toBeUndefined();
  });

  it("a rejected version", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "rejected" });
    const first = await broker.ask();
    expect(first.audit.reason).toBe("login_rejected");
    expect(first.problem?.detail).toMatch(
      /check the pair in Secrets Manager.*at most once every six minutes/,
    );
    const { audit } = await broker.ask({ key: anotherCaller });
    expect(audit).toMatchObject({ reason: "secret_rejected", lockouts_avoided: 1 });
  });

  it("a Looker asking for fewer logins, without another read of the secret", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.clock.jump(60_000);
    broker.looker.onLogin = () => ({ kind: "throttled", retryAfterSeconds: 30 });
    await broker.ask({ key: callerKey("AROATHIRDSERVICE0000") });
    broker.clock.jump(10_000);
    const { reads } = broker.first.secrets;
    const { problem, audit } = await broker.ask({ key: anotherCaller });
    expect(problem).toMatchObject({ detail: "Looker asked for fewer logins.", retryAfterSeconds: 20 });
    expect(audit).toMatchObject({ reason: "secret_throttled", lockouts_avoided: 1 });
    expect(broker.first.secrets.reads).toBe(reads);
  });
});

it("a login is on record as tried, as made, and by its lease", async () => {
  const broker = inMemoryBroker();
  const { audit, token } = await broker.ask();
  expect(audit).toMatchObject({ login_attempts: 1, logins: 1, mints: [{ lease_id: token?.leaseId }] });
  expect(audit.mint_failure).toBeUndefined();
});

it.each([
  ["timeout", /did not answer the login in time/],
  ["status_504", /did not answer the login in time/],
  ["ECONNRESET", /broke before the login was answered \(ECONNRESET\)/],
])("a login with an unknown end (%s) is explained", async (reason, detail) => {
  const broker = inMemoryBroker();
  broker.looker.onLogin = () => ({ kind: "unknown", reason });
  expect((await broker.ask()).problem?.detail).toMatch(detail);
});

describe("a proven version", () => {
  it("is used from memory, without a call for the secret's row alone", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.clock.jump(60_000);
    const before = secretReads(broker);
    await broker.issue({ key: anotherCaller });
    expect(secretReads(broker)).toBe(before);
    expect(broker.first.secrets.reads).toBe(1);
  });

  it("has nothing taken back if the time is too short for a login", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    const before = secretReads(broker);
    broker.table.after = (operation) => {
      if (operation === "readControls") broker.clock.jump(lockMs);
    };
    expect((await broker.ask({ key: anotherCaller })).code).toBe("busy");
    expect(secretReads(broker)).toBe(before);
  });
});

it("a login needs its time-out and two seconds of its lock", async () => {
  const late = async (ms: number) => {
    const broker = inMemoryBroker();
    broker.table.after = (operation) => {
      if (operation === "readControls") broker.clock.jump(lockMs - loginTimeoutMs - ms);
    };
    return await broker.ask();
  };
  expect((await late(2_000)).code).toBe("ok");
  const { code, problem } = await late(1_999);
  expect([code, problem?.detail]).toEqual(["busy", "A dependency was too slow."]);
});

describe("giving the lock back", () => {
  it("without a token is not waited for, because the lock runs out by itself", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "failed", reason: "html" });
    broker.table.before = (operation, key) => {
      if (operation === "write" && isSlot(key) && broker.looker.logins() > 0)
        throw new Unavailable("dynamodb");
    };
    const began = broker.clock.now();
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", undefined]);
    expect(broker.clock.now() - began).toBeLessThan(5_000);
  });

  it("is part of storing the token, with one read of the slot", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    const reads = broker.table.calls.filter(({ operation, key }) => operation === "read" && isSlot(key));
    expect(reads).toHaveLength(1);
  });

  it("counts a token if Looker has not ended it and the row is full", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    const { lease } = await broker.slot();
    if (!lease) throw new Error("no lease");
    const key = callerKey("AROAFULLSERVICE00000");
    broker.looker.onLogout = () => "unconfirmed";
    let refusedUntil = 0;
    broker.looker.onLogin = async () => {
      // Another took the lock, and late owners filled the outbox.
      const row = await broker.table.slots.read(key);
      const retryAt = broker.clock.now() + 600_000;
      const outbox = Array.from({ length: 16 }, (_, index) => ({
        ...{ ...lease, leaseId: `late-${index}` },
        ...{ since: retryAt, attempts: 1, retryAt },
      }));
      const mint = row.mint && { ...row.mint, owner: "another" };
      await broker.table.slots.write(key, { ...row, outbox, mint, version: row.version + 1 }, row.version);
      refusedUntil = broker.clock.now() + 16_000;
      return undefined;
    };
    broker.table.before = (_, name) => {
      if (isSlot(name) && broker.clock.now() < refusedUntil) throw new Unavailable("dynamodb");
    };
    expect((await broker.ask({ key })).audit.possible_orphans).toBe(1);
  });
});
