import { describe, expect, it } from "vitest";
import { sha256Of } from "../../../../functions/domain/digest.ts";
import { lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { lockMs } from "../../../../functions/domain/slot.ts";
import { logoutNeedsMs } from "../../../../functions/use-cases/end-tokens.ts";
import type { LoginOutcome } from "../../../../functions/use-cases/ports.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, firstSecret, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";

const { clientId } = firstSecret;
const unusable = (): LoginOutcome => ({ kind: "failed", reason: "status_201", unusableToken: "odd-token" });

describe("a new token is in the record", () => {
  it("with its hash and the end of its life at Looker", async () => {
    const broker = inMemoryBroker();
    const { token, audit } = await broker.ask();
    const { lease } = await broker.slot();
    expect(audit.mints).toEqual([
      {
        scope: "sales",
        lease_id: token?.leaseId,
        client_id: clientId,
        token_sha256: sha256Of("looker-token-1"),
        token_ends_at: (lease?.lookerEndsAt ?? 0) + lookerGraceMs,
      },
    ]);
  });

  it("even if it cannot be used, and its logout is on record by the same id", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = unusable;
    const { audit } = await broker.ask();
    expect(audit.logins).toBe(1);
    expect(audit.mints).toEqual([
      {
        scope: "sales",
        lease_id: expect.any(String),
        client_id: clientId,
        token_sha256: sha256Of("odd-token"),
      },
    ]);
    expect(audit.lease_ends).toMatchObject([{ lease_id: audit.mints?.[0]?.lease_id, client_id: clientId }]);
  });
});

describe("an unusable token", () => {
  it("is tried once if it must not be sent anywhere", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = unusable;
    broker.looker.onLogout = () => "not_tried";
    const began = broker.clock.now();
    const { audit } = await broker.ask();
    expect([broker.looker.logouts().length, audit.possible_orphans]).toEqual([1, undefined]);
    expect((await broker.slot()).outbox).toHaveLength(1);
    expect(broker.clock.now()).toBe(began);
  });

  it("is logged out again and again, as long as a logout fits in", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = unusable;
    broker.looker.onLogout = () => "unconfirmed";
    const deadline = broker.clock.now() + 28_000;
    await broker.ask({ budgetMs: 28_000 });
    const begun = broker.looker.ledger.flatMap(({ kind, at }) => (kind === "logout" ? [at] : []));
    expect(Math.max(...begun)).toBeLessThanOrEqual(deadline - logoutNeedsMs);
    expect(begun.length).toBeGreaterThan(15);
  });
});

describe("a token with little life", () => {
  it("of 30 seconds is still served", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = 30;
    const { code, token } = await broker.ask({ minTtlSeconds: 10 });
    expect([code, token?.expiresInSeconds]).toEqual(["ok", 30]);
  });

  it("of less stays counted in the budget, because Looker made it", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = 29;
    expect((await broker.ask()).problem?.detail).toContain("less than 30 seconds");
    expect(Object.values((await broker.slot()).mintedAt)).toMatchObject([[expect.any(Number)]]);
  });
});

it("a token is sealed within its lock's life, or not at all", async () => {
  const broker = inMemoryBroker();
  const tried: number[] = [];
  const lockedAt = broker.clock.now();
  broker.sealer.seal = async () => {
    tried.push(broker.clock.now() - lockedAt);
    // The pauses then come out at the very end of the lock.
    if (tried.length === 1) broker.clock.jump(250);
    throw new Unavailable("kms");
  };
  await broker.ask();
  expect(Math.max(...tried)).toBeLessThan(lockMs);
  expect(Math.max(...tried)).toBeGreaterThan(lockMs - 1_000);
});

describe("a late token, with a full outbox and another owner of the lock", () => {
  async function overtaken() {
    const broker = inMemoryBroker();
    await broker.issue();
    const { lease } = await broker.slot();
    if (!lease) throw new Error("no lease");
    const key = callerKey("AROAFULLSERVICE00000");
    broker.looker.onLogin = async () => {
      const row = await broker.table.slots.read(key);
      const retryAt = broker.clock.now() + 600_000;
      const outbox = Array.from({ length: 16 }, (_, index) => ({
        ...{ ...lease, leaseId: `late-${index}` },
        ...{ since: retryAt, attempts: 1, retryAt },
      }));
      const mint = row.mint && { ...row.mint, owner: "another" };
      await broker.table.slots.write(key, { ...row, outbox, mint, version: row.version + 1 }, row.version);
      return undefined;
    };
    return { broker, key };
  }

  it("is ended at Looker at once", async () => {
    const { broker, key } = await overtaken();
    const { audit } = await broker.ask({ key });
    expect([broker.looker.logouts(), audit.possible_orphans]).toEqual([["looker-token-2"], undefined]);
  });

  it("is counted if Looker does not confirm its end", async () => {
    const { broker, key } = await overtaken();
    broker.looker.onLogout = () => "unconfirmed";
    expect((await broker.ask({ key })).audit.possible_orphans).toBe(1);
  });
});
