import { describe, expect, it } from "vitest";
import { sessionBudgetKey } from "../../../../functions/adapters/rows.ts";
import { callerKey, type InMemoryBroker, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";
import { nameOf } from "../../../support/fakes/memory-slot-table.ts";

const job = callerKey(undefined, undefined, "job");
const budgetRow = nameOf(sessionBudgetKey(callerKey()));
const callsOfBudget = (broker: InMemoryBroker) =>
  broker.table.calls.filter(({ key }) => key === budgetRow).map(({ operation }) => operation);

it("a session's login costs two calls more than the shared one's: its budget is read once and written once", async () => {
  const broker = inMemoryBroker();
  await broker.issue({ key: job });
  expect(callsOfBudget(broker)).toEqual(["read", "write"]);
});

describe("an unforeseen error of the budget's row", () => {
  it("is thrown when the budget is asked, and is not a refusal", async () => {
    const broker = inMemoryBroker();
    broker.table.before = (_, key) => {
      if (key === budgetRow) throw new Error("AccessDeniedException");
    };
    await expect(broker.ask({ key: job })).rejects.toThrow("AccessDeniedException");
    expect(broker.looker.logins()).toBe(0);
  });

  it("is thrown when the login's end is to be noted", async () => {
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
