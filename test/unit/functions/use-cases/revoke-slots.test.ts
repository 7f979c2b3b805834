import { describe, expect, it } from "vitest";
import { raiseEpoch } from "../../../../functions/domain/control.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import type { AuditFields } from "../../../../functions/use-cases/record.ts";
import {
  countMatches,
  endFenced,
  fenceSlots,
  runJob,
  type Selection,
  selectSlots,
} from "../../../../functions/use-cases/revoke-slots.ts";
import { inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, operatePorts } from "../../../support/fakes/in-memory-operator.ts";

const everything: Selection = { scope: "sales", filter: {} };

async function withSlots(count: number) {
  const broker = inMemoryBroker();
  for (let number = 0; number < count; number++) await broker.issue({ key: numberedCaller(number) });
  const ports = operatePorts(broker);
  const audit: AuditFields = {};
  const job = { audit, deadline: broker.clock.now() + 24_000 };
  broker.table.calls.length = 0;
  return {
    ...broker,
    broker,
    ports,
    audit,
    job,
    partitions: { from: 0, to: broker.table.slotPartitions },
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const ignored = () => undefined;

describe("selecting", () => {
  it("goes through every page of every partition", async () => {
    const { table, partitions } = await withSlots(60);
    const querySlots = table.querySlots;
    const paged: typeof table = {
      ...table,
      querySlots: (scope, partition, options) => querySlots(scope, partition, { ...options, limit: 2 }),
    };
    const found = await collect(selectSlots(paged, everything, partitions, ignored));
    expect(new Set(found.map(({ key }) => key.uniqueId)).size).toBe(60);
    expect(found).toHaveLength(60);
  });

  it("by caller takes its account from the ARN and its name from the row, exactly", async () => {
    const { table, partitions } = await withSlots(3);
    const select = (callerArn: string) =>
      collect(selectSlots(table, { ...everything, callerArn }, partitions, ignored));
    expect(await select("arn:aws:iam::111122223333:role/report-service")).toHaveLength(3);
    for (const other of ["report-Service", "report-servic", "report-service2", "*", "report-?ervice"])
      expect(await select(`arn:aws:iam::111122223333:role/${other}`)).toEqual([]);
    expect(await select("arn:aws:iam::111122223333:user/report-service")).toEqual([]);
  });

  it("counts rows that cannot be read, and goes on", async () => {
    const { table, row, partitions } = await withSlots(5);
    row(numberedCaller(2)).schema = 99;
    let unreadable = 0;
    const count = (rows: number) => {
      unreadable += rows;
    };
    expect(await collect(selectSlots(table, everything, partitions, count))).toHaveLength(4);
    expect(unreadable).toBe(1);
  });
});

describe("fencing", () => {
  it("does all of it before any logout", async () => {
    const { ports, job, looker } = await withSlots(40);
    const fenced = await fenceSlots(ports, everything, job);
    expect(fenced.matched).toBe(40);
    expect(looker.logouts()).toEqual([]);
    expect(await endFenced(ports, fenced.slots, job)).toBe(40);
    expect(looker.live.size).toBe(0);
  });

  it("sees through a row that changed since it was read", async () => {
    const { ports, job, table, looker, logOut } = await withSlots(3);
    let once = true;
    table.after = async (operation) => {
      if (operation !== "querySlots" || !once) return;
      once = false;
      table.after = undefined;
      // Somebody logs out between the query and the write.
      await logOut({ key: numberedCaller(1) });
    };
    const fenced = await fenceSlots(ports, everything, job);
    await endFenced(ports, fenced.slots, job);
    expect(looker.live.size).toBe(0);
    expect(looker.logouts().sort()).toEqual([...new Set(looker.logouts())].sort());
  });

  it("that fails for one slot is a failure of all: nothing is promised", async () => {
    const { ports, job, table } = await withSlots(10);
    const sick = numberedCaller(4).uniqueId;
    table.before = (operation, key) => {
      if (operation === "write" && key.includes(sick)) throw new Unavailable("dynamodb");
    };
    await expect(fenceSlots(ports, everything, job)).rejects.toBeInstanceOf(Unavailable);
  });

  it("that fails has nothing under way any more when it says so", async () => {
    const { ports, job, table, clock } = await withSlots(100);
    const sick = numberedCaller(4).uniqueId;
    let underWay = 0;
    table.before = async (operation, key) => {
      if (operation !== "write") return;
      if (key.includes(sick)) throw new Unavailable("dynamodb");
      underWay++;
      await clock.sleep(2_000);
      underWay--;
    };
    await expect(fenceSlots(ports, everything, job)).rejects.toBeInstanceOf(Unavailable);
    const calls = table.calls.length;
    expect(underWay).toBe(0);
    await clock.advance(60_000);
    expect(table.calls).toHaveLength(calls);
  });

  it("counting writes nothing", async () => {
    const { ports, audit, table } = await withSlots(10);
    const before = structuredClone([...table.items]);
    expect(await countMatches(ports, everything, audit)).toBe(10);
    expect([...table.items]).toEqual(before);
  });
});

describe("ending", () => {
  it("has at most sixteen logouts under way", async () => {
    const { ports, job, looker, clock } = await withSlots(50);
    const fenced = await fenceSlots(ports, everything, job);
    let [underWay, most] = [0, 0];
    looker.onLogout = async () => {
      most = Math.max(most, ++underWay);
      await clock.sleep(200);
      underWay--;
      return undefined;
    };
    expect(await endFenced(ports, fenced.slots, job)).toBe(50);
    expect(most).toBe(16);
  });

  it("begins no logout that it could not end, and counts only what Looker confirmed", async () => {
    const { ports, job, looker, clock } = await withSlots(50);
    const fenced = await fenceSlots(ports, everything, job);
    looker.onLogout = async () => {
      await clock.sleep(6_000);
      return undefined;
    };
    const revoked = await endFenced(ports, fenced.slots, job);
    expect(clock.now()).toBeLessThanOrEqual(job.deadline);
    expect(revoked).toBe(50 - looker.live.size);
    expect(revoked).toBeLessThan(50);
  });
});

describe("a job", () => {
  async function withJob(count: number) {
    const all = await withSlots(count);
    const { table, clock } = all;
    const control = raiseEpoch(await table.scopeControls.read("sales"), clock.now(), undefined);
    const version = (await table.scopeControls.read("sales")).version;
    await table.scopeControls.write(
      "sales",
      { ...control, version: version + 1, writeId: "raise-00000000001" },
      version,
    );
    if (!control.job) throw new Error("no job");
    return { ...all, pending: control.job, control: () => table.scopeControls.read("sales") };
  }

  it("leaves what was issued after the epoch was raised", async () => {
    const { ports, job, pending, issue, looker } = await withJob(5);
    const fresh = await issue({ key: numberedCaller(2) });
    expect(await runJob(ports, "sales", pending, job)).toEqual({
      matched: 5,
      revoked: 5,
      pending: 0,
      done: true,
    });
    expect(looker.live).toEqual(new Set([fresh.accessToken]));
  });

  it("run twice at once ends everything once, and is over", async () => {
    const { ports, broker, job, pending, control, looker } = await withJob(40);
    const both = await Promise.all([
      runJob(ports, "sales", pending, job),
      runJob(operatePorts(broker), "sales", pending, job),
    ]);
    expect(both.map(({ done }) => done)).toEqual([true, true]);
    expect(looker.live.size).toBe(0);
    expect(await control()).toMatchObject({ epoch: 1, job: undefined });
  });

  it("whose time is over says so, and its partitions are noted", async () => {
    const { ports, job, pending, table, clock, control } = await withJob(40);
    table.before = (operation) => {
      if (operation === "querySlots") clock.jump(5_000);
    };
    await runJob(ports, "sales", pending, job).then(
      ({ done }) => expect(done).toBe(false),
      (error) => expect(error).toBeInstanceOf(Unavailable),
    );
    const { job: left } = await control();
    expect(left?.nextPartition).toBeGreaterThan(0);
    expect(left?.nextPartition).toBeLessThan(16);
  });

  it("that fails on the way has no logout under way any more when it says so", async () => {
    const { ports, job, pending, table, looker, clock } = await withJob(60);
    let underWay = 0;
    looker.onLogout = async () => {
      underWay++;
      await clock.sleep(3_000);
      underWay--;
      return undefined;
    };
    table.before = (operation, key) => {
      if (operation === "querySlots" && key === "scope#sales#9") throw new Unavailable("dynamodb");
    };
    const { matched, revoked, done } = await runJob(ports, "sales", pending, job);
    expect(underWay).toBe(0);
    // What was done until then is told all the same.
    expect([done, matched === revoked, matched > 0]).toEqual([false, true, true]);
  });

  it("does not note its progress on a later one", async () => {
    const { ports, job, pending, table, control } = await withJob(3);
    const row = await control();
    const later = raiseEpoch(row, pending.at + 1, undefined);
    await table.scopeControls.write(
      "sales",
      { ...later, version: row.version + 1, writeId: "later-00000000001" },
      row.version,
    );
    await runJob(ports, "sales", pending, job);
    expect(await control()).toMatchObject({ epoch: 2, job: { epoch: 2, nextPartition: 0 } });
  });

  it("of rows under contention loses none", async () => {
    const { ports, job, pending, table, looker } = await withJob(20);
    const seen = new Map<string, number>();
    table.before = (operation, key) => {
      if (operation !== "write" || !key.includes("caller#")) return;
      // Each slot is rewritten by somebody else once, right before the fence.
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      const item = table.items.get(key);
      if (times === 1 && item) item.version = Number(item.version) + 1;
    };
    expect(await runJob(ports, "sales", pending, job)).toEqual({
      matched: 20,
      revoked: 20,
      pending: 0,
      done: true,
    });
    expect(looker.live.size).toBe(0);
  });
});
