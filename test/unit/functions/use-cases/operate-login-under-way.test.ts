import { describe, expect, it } from "vitest";
import { raiseEpoch } from "../../../../functions/domain/control.ts";
import { freezeScope, revokeLeases } from "../../../../functions/use-cases/operate.ts";
import { type OperateJob, type OperatePorts, runJob } from "../../../../functions/use-cases/revoke-slots.ts";
import {
  callerKey,
  type InMemoryBroker,
  type Instance,
  inMemoryBroker,
  sales,
} from "../../../support/fakes/in-memory-broker.ts";
import { operatePorts } from "../../../support/fakes/in-memory-operator.ts";

const operator = "arn:aws:iam::111122223333:role/oncall";
const isScopeControl = (key: string) => key === "scope#sales #control";

/** An instance whose clock is off by so much. */
function skewed<Ports extends Instance | OperatePorts>(ports: Ports, byMs: number): Ports {
  const { clock } = ports;
  return { ...ports, clock: { ...clock, now: () => clock.now() + byMs } };
}

type Verb = (
  ports: OperatePorts,
  job: OperateJob,
) => Promise<{ matched: number; revoked: number; pending: number }>;
const freeze: Verb = (ports, job) =>
  freezeScope(ports, job, { by: operator, at: ports.clock.now(), reason: "incident" });
const revokeAll: Verb = (ports, job) => revokeLeases(ports, job, { all: true });

/** A login that began before the epoch was raised, and is under way when slots are fenced. */
async function overtaken(
  broker: InMemoryBroker,
  verb: Verb,
  { skews, writeMs }: { skews: { operator: number; caller: number }; writeMs: number },
) {
  await broker.issue({ key: callerKey("AROAREPORTSERVICE999") });
  await broker.logOut({ key: callerKey("AROAREPORTSERVICE999") });
  broker.looker.loginMs = 3_000;
  let asked: ReturnType<typeof broker.ask> | undefined;
  broker.table.before = async (operation, key) => {
    if (operation !== "write" || !isScopeControl(key) || asked) return;
    // The time of the raise is set; the write is on its way.
    await broker.clock.sleep(writeMs - 100);
    asked = broker.ask({ on: skewed(broker.instance(), skews.caller), budgetMs: 35_000 });
    await broker.clock.sleep(100);
  };
  const ports = skewed(operatePorts(broker), skews.operator);
  const job = { scope: sales, audit: {}, deadline: ports.clock.now() + 24_000 };
  const told = await verb(ports, job);
  return { told, answer: (await asked) ?? expect.fail("nobody asked") };
}

describe.each<[string, Verb]>([
  ["a freeze", freeze],
  ["a revocation of the whole scope", revokeAll],
])("%s", (_, verb) => {
  it.each([
    [0, 0, 5_300],
    [-4_800, 0, 400],
    [-5_000, 0, 5_300],
    [5_000, 0, 5_300],
    [-5_000, 5_000, 5_300],
    [5_000, -5_000, 5_300],
    [0, 5_000, 400],
  ])(
    "catches a login under way: the operator's clock %i ms off, the caller's %i ms, and a write that takes %i ms",
    async (operatorMs, callerMs, writeMs) => {
      const broker = inMemoryBroker();
      const skews = { operator: operatorMs, caller: callerMs };
      const { told, answer } = await overtaken(broker, verb, { skews, writeMs });
      expect(told).toMatchObject({ matched: 1, revoked: 0, pending: 1 });
      expect(answer.token).toBeUndefined();
      expect(broker.looker.live.size).toBe(0);
      expect(await broker.slot()).toMatchObject({ lease: undefined, mint: undefined, outbox: [] });
    },
  );
});

it("a login that begins after the raise is its own lease's, whatever its clock says", async () => {
  const broker = inMemoryBroker();
  const ports = operatePorts(broker);
  const job = () => ({ scope: sales, audit: {}, deadline: broker.clock.now() + 24_000 });
  await revokeAll(ports, job());
  const slow = skewed(broker.instance(), -5_000);
  broker.looker.onLogin = async () => {
    // The job is carried on while it is under way: by the epoch, and by nothing else.
    const control = await broker.table.scopeControls.read("sales");
    const again = { epoch: control.epoch, at: broker.clock.now(), nextPartition: 0 };
    await broker.table.scopeControls.write(
      "sales",
      { ...control, job: again, version: control.version + 1, writeId: "again" },
      control.version,
    );
    expect(await runJob(ports, "sales", again, job())).toMatchObject({ matched: 0, done: true });
    return undefined;
  };
  expect((await broker.ask({ on: slow })).token?.accessToken).toBe("looker-token-1");
  expect(broker.looker.logouts()).toEqual([]);
});

it("a lock that was read before the raise and written after it is doomed, though its control item is read after it", async () => {
  const broker = inMemoryBroker();
  const ports = operatePorts(broker);
  const job = { scope: sales, audit: {}, deadline: broker.clock.now() + 24_000 };
  let raised = false;
  broker.table.after = async (operation) => {
    // Between the read of epoch 0 and the lock: the raise, and nothing of its fences yet.
    if (operation !== "readForIssue" || raised) return;
    raised = true;
    const control = await broker.table.scopeControls.read("sales");
    const row = raiseEpoch(control, broker.clock.now(), undefined);
    await broker.table.scopeControls.write("sales", { ...row, version: 1, writeId: "raise" }, 0);
  };
  broker.looker.onLogin = async () => {
    const { job: pending } = await broker.table.scopeControls.read("sales");
    expect(await runJob(ports, "sales", pending ?? expect.fail("no job"), job)).toMatchObject({ pending: 1 });
    return undefined;
  };
  await broker.ask();
  expect(broker.looker.logouts()).toEqual(["looker-token-1"]);
  expect((await broker.slot()).lease).toBeUndefined();
});
