import { describe, expect, it } from "vitest";
import type { Job } from "../../../../functions/domain/control.ts";
import { clockSkewMs } from "../../../../functions/domain/lease.ts";
import { lockMs } from "../../../../functions/domain/slot.ts";
import type { AuditFields } from "../../../../functions/use-cases/record.ts";
import {
  countMatches,
  fenceSlots,
  runJob,
  selectSlots,
} from "../../../../functions/use-cases/revoke-slots.ts";
import { account, callerKey, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, operatePorts } from "../../../support/fakes/in-memory-operator.ts";

const everything = { scope: "sales", filter: {} };

async function withSlots(count: number) {
  const broker = inMemoryBroker();
  for (let number = 0; number < count; number++) await broker.issue({ key: numberedCaller(number) });
  broker.table.calls.length = 0;
  const audit: AuditFields = {};
  return { broker, ports: operatePorts(broker), audit };
}

const job = (broker: ReturnType<typeof inMemoryBroker>, audit: AuditFields, budgetMs = 24_000) => ({
  audit,
  deadline: broker.clock.now() + budgetMs,
});

describe("an unreadable row", () => {
  it("might match, so it is in the count and in the record", async () => {
    const { broker, ports, audit } = await withSlots(3);
    broker.row(numberedCaller(1)).schema = 99;
    expect(await countMatches(ports, everything, audit)).toBe(3);
    expect(audit.unreadable).toBe(1);
  });

  it("is matched and never ended where all is fenced, and in the record", async () => {
    const { broker, ports, audit } = await withSlots(3);
    broker.row(numberedCaller(1)).schema = 99;
    const { matched, slots } = await fenceSlots(ports, everything, job(broker, audit));
    expect([matched, slots.length]).toEqual([3, 2]);
    expect(audit).toMatchObject({ unreadable: 1, slots: 2 });
  });

  it("is in no record where there is none", async () => {
    const { broker, ports, audit } = await withSlots(2);
    await countMatches(ports, everything, audit);
    await fenceSlots(ports, everything, job(broker, audit));
    expect(audit).toEqual({ slots: 2 });
  });
});

describe("a lock met by a fence", () => {
  async function withLock() {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => new Promise(() => {});
    void broker.ask();
    await broker.clock.advance(0);
    return { broker, ports: operatePorts(broker), audit: {} as AuditFields };
  }

  it("is a possible orphan where it ran out by every clock", async () => {
    const { broker, ports, audit } = await withLock();
    broker.clock.jump(lockMs + clockSkewMs);
    const { matched } = await fenceSlots(ports, everything, job(broker, audit));
    expect([matched, audit.possible_orphans]).toEqual([0, 1]);
  });

  it("is matched and not an orphan while it stands, with nothing to be ended yet", async () => {
    const { broker, ports, audit } = await withLock();
    expect(await fenceSlots(ports, everything, job(broker, audit))).toEqual({ matched: 1, slots: [] });
    expect(audit.possible_orphans).toBeUndefined();
  });
});

describe("a caller meant by one of its names", () => {
  it("has all its slots ended, before and behind the one with this name, and nobody else's", async () => {
    const broker = inMemoryBroker();
    const partitions = { from: 0, to: broker.table.slotPartitions };
    const arn = (name: string) => `arn:aws:iam::${account}:user/${name}`;
    const issue = (uniqueId: string, name: string, session?: string) =>
      broker.issue({ key: { ...callerKey(uniqueId, "sales", session), callerArn: arn(name) } });
    // Enough callers that some stand side by side in one partition.
    for (let number = 10; number < 60; number++) {
      const uniqueId = `AIDAUSER${number}`;
      const named = number % 5 === 0;
      await issue(uniqueId, `user-${number}`);
      await issue(uniqueId, named ? "renamed" : `user-${number}`, "job");
      await issue(uniqueId, `user-${number}`, "later");
    }
    const found: string[] = [];
    const selection = { ...everything, callerArn: arn("renamed") };
    for await (const { key } of selectSlots(broker.table, selection, partitions, () => undefined))
      found.push(`${key.uniqueId} ${key.session ?? "-"}`);
    const expected = Array.from({ length: 10 }, (_, index) => `AIDAUSER${10 + 5 * index}`).flatMap(
      (uniqueId) => [`${uniqueId} -`, `${uniqueId} job`, `${uniqueId} later`],
    );
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
});

describe("a job", () => {
  const pending: Job = { epoch: 1, at: 0, nextPartition: 0 };

  it("without any time left begins nothing, and records no reason for not being done", async () => {
    const { broker, ports, audit } = await withSlots(3);
    const result = await runJob(ports, "sales", pending, job(broker, audit, 0));
    expect(result).toEqual({ matched: 0, revoked: 0, pending: 0, done: false });
    expect([broker.table.calls, audit]).toEqual([[], {}]);
  });

  it("with an unforeseen failure has no logout under way any more when it throws", async () => {
    const { broker, ports, audit } = await withSlots(60);
    let underWay = 0;
    broker.looker.onLogout = async () => {
      underWay++;
      await broker.clock.sleep(3_000);
      underWay--;
      return undefined;
    };
    broker.table.before = (operation, key) => {
      if (operation === "querySlots" && key === "scope#sales#9") throw new Error("AccessDenied");
    };
    await expect(runJob(ports, "sales", pending, job(broker, audit))).rejects.toThrow("AccessDenied");
    expect(broker.looker.logouts().length).toBeGreaterThan(0);
    expect(underWay).toBe(0);
  });
});
