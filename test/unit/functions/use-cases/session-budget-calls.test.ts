import { describe, expect, it } from "vitest";
import { sessionBudgetKey, slotKey } from "../../../../functions/adapters/rows.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, type InMemoryBroker, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";
import { nameOf } from "../../../support/fakes/memory-slot-table.ts";

const job = callerKey(undefined, undefined, "job");
const budgetRow = nameOf(sessionBudgetKey(callerKey()));
const slotRow = nameOf(slotKey(job));
const callsOfSlot = (broker: InMemoryBroker) =>
  broker.table.calls.filter(({ key }) => key === slotRow).map(({ operation }) => operation);
/** Only that write of the session's slot. */
function failWrite(broker: InMemoryBroker, write: number): void {
  let writes = 0;
  broker.table.before = (operation, key) => {
    if (operation === "write" && key === slotRow && ++writes === write)
      throw new Error("AccessDeniedException");
  };
}
const callsOfBudget = (broker: InMemoryBroker) =>
  broker.table.calls.filter(({ key }) => key === budgetRow).map(({ operation }) => operation);

it("a session's login costs two calls more than the shared one's: its budget is read once and written once", async () => {
  const broker = inMemoryBroker();
  await broker.issue({ key: job });
  expect(callsOfBudget(broker)).toEqual(["read", "write"]);
  expect(callsOfSlot(broker)).toEqual(["readForIssue", "write", "read", "write", "readForIssue"]);
});

describe("an unwanted lease of a session", () => {
  it("goes to the outbox if its row was edited", async () => {
    const broker = inMemoryBroker();
    const { leaseId } = await broker.issue({ key: job });
    Object.assign(broker.row(job).lease as object, { client_id: "another" });
    expect((await broker.ask({ key: job })).code).toBe("ok");
    expect((await broker.slot(job)).outbox).toMatchObject([{ leaseId }]);
  });

  it("goes to the outbox if it was reported stale, and the reporter gets a new one", async () => {
    const broker = inMemoryBroker();
    const { leaseId } = await broker.issue({ key: job });
    broker.clock.jump(11_000);
    const { token } = await broker.ask({ key: job, staleLeaseId: leaseId });
    expect(token?.accessToken).toBe("looker-token-2");
    expect((await broker.slot(job)).outbox).toMatchObject([{ leaseId }]);
  });

  it("stops the login if it cannot be moved for an unexpected reason", async () => {
    const broker = inMemoryBroker();
    const { leaseId } = await broker.issue({ key: job });
    broker.clock.jump(11_000);
    failWrite(broker, 2);
    const { code, audit } = await broker.ask({ key: job, staleLeaseId: leaseId });
    expect([code, audit.reason, broker.looker.logins()]).toEqual(["busy", "mint_failed", 1]);
  });
});

it("the lock of a session without a counted login fails to be given back as the table says", async () => {
  const broker = inMemoryBroker();
  failWrite(broker, 2);
  const { before } = broker.table;
  broker.table.before = (operation, key) => {
    if (operation === "write" && key === budgetRow) throw new Unavailable("dynamodb");
    return before?.(operation, key);
  };
  await expect(broker.ask({ key: job })).rejects.toThrow("AccessDeniedException");
});

it("a session's token in hand comes first, and then its failure is shared", async () => {
  const broker = inMemoryBroker();
  await broker.issue();
  broker.looker.onLogout = () => "unconfirmed";
  let refusedUntil = 0;
  broker.looker.onLogin = () => {
    refusedUntil = broker.clock.now() + 16_000;
    broker.table.calls.length = 0;
    return undefined;
  };
  broker.table.before = (_, key) => {
    if (key === slotRow && broker.clock.now() < refusedUntil) throw new Unavailable("dynamodb");
  };
  expect((await broker.ask({ key: job })).code).toBe("busy");
  const written = broker.table.calls.filter(({ operation }) => operation === "write").map(({ key }) => key);
  expect(written.slice(-2)).toEqual([slotRow, budgetRow]);
  expect((await broker.table.sessionBudgets.read(callerKey())).failures).toHaveLength(1);
});

describe("an unexpected error of the budget's row", () => {
  it("is thrown by the first read", async () => {
    const broker = inMemoryBroker();
    broker.table.before = (_, key) => {
      if (key === budgetRow) throw new Error("AccessDeniedException");
    };
    await expect(broker.ask({ key: job })).rejects.toThrow("AccessDeniedException");
    expect(broker.looker.logins()).toBe(0);
  });

  it("is thrown after the login", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => {
      broker.table.before = (operation, key) => {
        if (operation === "write" && key.includes("sessions#")) throw new Error("AccessDeniedException");
      };
      return { kind: "failed", reason: "html" };
    };
    await expect(broker.ask({ key: job })).rejects.toThrow("AccessDeniedException");
  });
});
