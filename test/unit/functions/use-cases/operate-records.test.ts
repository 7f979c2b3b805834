import { describe, expect, it } from "vitest";
import { maxDeniedClientIds } from "../../../../functions/domain/control.ts";
import { clockSkewMs, lookerGraceMs } from "../../../../functions/domain/lease.ts";
import {
  countLeases,
  freezeScope,
  listLeases,
  revokeLeases,
  unfreezeScope,
} from "../../../../functions/use-cases/operate.ts";
import type { AuditFields } from "../../../../functions/use-cases/record.ts";
import {
  callerKey,
  firstSecret,
  inMemoryBroker,
  sales,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, operatePorts } from "../../../support/fakes/in-memory-operator.ts";

async function withLeases(count: number) {
  const broker = inMemoryBroker();
  for (let number = 0; number < count; number++) await broker.issue({ key: numberedCaller(number) });
  const audit: AuditFields = {};
  const job = { scope: sales, deadline: broker.clock.now() + 24_000, audit };
  return { broker, ports: operatePorts(broker), audit, job };
}
const start = { partition: 0, after: undefined };

describe("the record of an operator's request", () => {
  it("has the number of matches", async () => {
    const { ports, audit, job } = await withLeases(2);
    await countLeases(ports, job, { all: true });
    expect(audit).toEqual({ outcome: "counted", matched: 2 });
  });

  it("has the result of a revocation", async () => {
    const { broker, ports, audit, job } = await withLeases(2);
    broker.looker.onLogout = (token) => (token === "looker-token-1" ? "unconfirmed" : undefined);
    await revokeLeases(ports, job, { clientId: firstSecret.clientId });
    expect(audit).toMatchObject({ outcome: "revoked", matched: 2, revoked: 1, pending: 1 });
  });

  it("tells freeze, revocation, unfreeze and list apart", async () => {
    const { broker, ports, job } = await withLeases(1);
    const outcomeOf = async (act: (own: typeof job) => Promise<unknown>) => {
      const own = { ...job, audit: {} as AuditFields };
      await act(own);
      return own.audit.outcome;
    };
    const freeze = { by: "arn:aws:iam::111122223333:role/oncall", at: broker.clock.now(), reason: "x" };
    expect(await outcomeOf((own) => revokeLeases(ports, own, { all: true }))).toBe("revoked");
    expect(await outcomeOf((own) => freezeScope(ports, own, freeze))).toBe("frozen");
    expect(await outcomeOf((own) => unfreezeScope(ports, own))).toBe("unfrozen");
    expect(await outcomeOf((own) => listLeases(ports, own, start))).toBe("listed");
  });
});

describe("a revocation", () => {
  it("without a filter ends everything and denies no client id", async () => {
    const { broker, ports, job } = await withLeases(2);
    expect(await revokeLeases(ports, job, {})).toEqual({ matched: 2, revoked: 2, pending: 0 });
    expect((await broker.table.secretControls.read(secretId)).deniedClientIds).toEqual([]);
  });

  it("of one more client id than can be denied gives the result and advice", async () => {
    const { broker, ports, job } = await withLeases(2);
    const row = await broker.table.secretControls.read(secretId);
    const deniedClientIds = Array.from({ length: maxDeniedClientIds }, (_, index) => `digest-${index}`);
    const full = { ...row, deniedClientIds, version: row.version + 1 };
    await broker.table.secretControls.write(secretId, full, row.version);
    await expect(revokeLeases(ports, job, { clientId: firstSecret.clientId })).rejects.toMatchObject({
      code: "bad_request",
      detail:
        "Of 2 leases 2 were ended and the rest is pending, but the client id could not be denied: 200 of this secret are. Freeze the scope, or replace the secret.",
    });
  });

  it("by time allows for the skew of clocks, and not for more", async () => {
    const { broker, ports, job } = await withLeases(1);
    const issuedBefore = broker.clock.now() - clockSkewMs;
    expect(await countLeases(ports, job, { issuedBefore })).toEqual({ matched: 0 });
    expect(await countLeases(ports, job, { issuedBefore: issuedBefore + 1 })).toEqual({ matched: 1 });
  });
});

describe("a list of leases", () => {
  it("has every field of a lease, and a login under way without most of them", async () => {
    const { broker, ports, job } = await withLeases(0);
    const key = callerKey(undefined, undefined, "job");
    await broker.issue({ key });
    const { lease } = await broker.slot(key);
    broker.looker.onLogin = () => new Promise(() => {});
    void broker.ask();
    await broker.clock.advance(0);
    const { callerArn, uniqueId } = key;
    const { leases } = await listLeases(ports, job, start);
    const none = { leaseId: null, endsAt: null, tokenEndsAt: null, clientId: null };
    const at = broker.clock.now();
    expect(leases).toEqual([
      { ...none, callerArn, uniqueId, session: null, state: "minting", issuedAt: at },
      {
        ...{ callerArn, uniqueId, session: "job", state: "live", issuedAt: at },
        ...{ leaseId: lease?.leaseId, endsAt: lease?.endsAt, clientId: firstSecret.clientId },
        tokenEndsAt: (lease?.lookerEndsAt ?? 0) + lookerGraceMs,
      },
    ]);
  });

  it("has an empty name for a caller without one", async () => {
    const { broker, ports, job } = await withLeases(1);
    broker.row(numberedCaller(0)).names = [];
    expect((await listLeases(ports, job, start)).leases).toMatchObject([{ callerArn: "" }]);
  });

  it("counts an unreadable row in the page and in the record", async () => {
    const { broker, ports, audit, job } = await withLeases(130);
    for (let number = 0; number < 130; number += 10) broker.row(numberedCaller(number)).schema = 99;
    broker.table.calls.length = 0;
    const { leases, next } = await listLeases(ports, job, start);
    expect(leases.length + (audit.unreadable ?? 0)).toBe(100);
    expect(audit.unreadable).toBeGreaterThan(0);
    const rest = { ...job, audit: {} as AuditFields };
    const { leases: others, next: end } = await listLeases(ports, rest, next ?? expect.fail("no next"));
    expect(leases.length + others.length).toBe(117);
    expect(end).toBeUndefined();
    expect((audit.unreadable ?? 0) + (rest.audit.unreadable ?? 0)).toBe(13);
  });

  it("reads each partition once", async () => {
    const { broker, ports, audit, job } = await withLeases(3);
    broker.table.calls.length = 0;
    await listLeases(ports, job, start);
    const queries = broker.table.calls.filter(({ operation }) => operation === "querySlots");
    expect(queries).toHaveLength(broker.table.slotPartitions);
    expect(audit.unreadable).toBeUndefined();
  });
});
