import { describe, expect, it } from "vitest";
import { scopeControlKey } from "../../../../functions/adapters/rows.ts";
import { freezeScope } from "../../../../functions/use-cases/operate.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { inMemoryBroker, sales } from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, operatePorts, sweepNow } from "../../../support/fakes/in-memory-operator.ts";
import { nameOf } from "../../../support/fakes/memory-slot-table.ts";

const freeze = (broker: ReturnType<typeof inMemoryBroker>, budgetMs: number) => {
  const { clock } = broker;
  const freezing = { by: "arn:aws:iam::111122223333:role/oncall", at: clock.now(), reason: "incident 7" };
  const job = { scope: sales, deadline: clock.now() + budgetMs, audit: {} };
  return freezeScope(operatePorts(broker), job, freezing);
};

/** A freeze that could not read the slots, 90 s ago. */
async function withUnfinishedJob() {
  const broker = inMemoryBroker();
  await broker.issue();
  broker.table.before = (operation) => {
    if (operation === "querySlots") throw new Unavailable("dynamodb");
  };
  await freeze(broker, 1_000);
  broker.table.before = undefined;
  broker.clock.jump(90_000);
  return broker;
}

describe("the record of a sweep", () => {
  it("has the result, and no orphan without cause", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 3; number++) await broker.issue({ key: numberedCaller(number) });
    broker.clock.jump(901_000);
    broker.looker.onLogout = (token) => (token === "looker-token-2" ? "unconfirmed" : undefined);
    const { audit } = await sweepNow(broker);
    expect(audit).toMatchObject({ outcome: "swept", revoked: 2, pending: 1, slots: 3, expired: 0 });
    expect(audit.possible_orphans).toBeUndefined();
  });

  it("has the lag of the longest due row", async () => {
    const broker = inMemoryBroker();
    await broker.issue({ key: numberedCaller(1) });
    broker.clock.jump(60_000);
    await broker.issue({ key: numberedCaller(2) });
    broker.clock.jump(900_000);
    expect((await sweepNow(broker)).audit.sweep_lag_ms).toBe(60_000);
    expect((await sweepNow(broker)).audit.sweep_lag_ms).toBe(0);
  });

  it("has the oldest age of a pending token at its next try", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogout = () => "unconfirmed";
    await broker.issue({ key: numberedCaller(1) });
    await broker.issue({ key: numberedCaller(2) });
    await broker.logOut({ key: numberedCaller(1) });
    broker.clock.jump(10_000);
    await broker.logOut({ key: numberedCaller(2) });
    broker.clock.jump(16_000);
    // The second try of a token comes 30 s after the first.
    const { audit } = await sweepNow(broker);
    expect([audit.oldest_pending_ms, audit.pending]).toEqual([26_000 + 30_000, 2]);
    broker.clock.jump(30_000);
    broker.looker.onLogout = undefined;
    expect((await sweepNow(broker)).audit.oldest_pending_ms).toBe(0);
  });

  it("has the age of an unfinished job alone", async () => {
    for (const [outcome, age] of [
      ["unconfirmed", 90_000],
      [undefined, 0],
    ] as const) {
      const broker = await withUnfinishedJob();
      broker.looker.onLogout = () => outcome;
      const { audit, pending } = await sweepNow(broker);
      expect([audit.oldest_pending_ms, pending]).toEqual([age, outcome ? 1 : 0]);
    }
  });

  it("names no reason for a job ended since the index was read", async () => {
    const broker = await withUnfinishedJob();
    broker.table.after = (operation) => {
      const control = broker.table.items.get(nameOf(scopeControlKey("sales")));
      if (operation === "queryDue") delete control?.job;
    };
    const { audit } = await sweepNow(broker);
    expect([audit.reason, audit.unreadable]).toEqual([undefined, undefined]);
  });

  it("has a failed row, and the others are swept", async () => {
    const broker = inMemoryBroker();
    for (let number = 0; number < 3; number++) await broker.issue({ key: numberedCaller(number) });
    broker.clock.jump(901_000);
    broker.table.before = (operation, key) => {
      if (operation === "write" && key.includes(numberedCaller(1).uniqueId)) throw new Error("AccessDenied");
    };
    const { revoked, audit } = await sweepNow(broker);
    expect([revoked, audit.reason, audit.unreadable]).toEqual([2, "row_failed", undefined]);
  });
});

it("a sweep without any time left reads the index alone", async () => {
  const broker = inMemoryBroker();
  await broker.issue();
  broker.clock.jump(901_000);
  broker.table.calls.length = 0;
  const { audit } = await sweepNow(broker, { budgetMs: 0 });
  expect(broker.table.calls.map(({ operation }) => operation)).toEqual(["queryDue"]);
  expect(audit.reason).toBeUndefined();
});

it.each(["baseUrl", "clientId"] as const)(
  "tokens of one slot with another %s do not wait for each other",
  async (field) => {
    const broker = inMemoryBroker();
    const scope = { ...sales };
    await broker.issue({ scope });
    if (field === "baseUrl") Object.assign(scope, { baseUrl: "https://moved.cloud.looker.com" });
    else Object.assign(scope, { secretId: "looker/people" });
    await broker.issue({ scope });
    broker.clock.jump(901_000);
    const began = broker.clock.now();
    broker.looker.onLogout = async (token) => {
      if (token === "looker-token-1") await broker.clock.sleep(5_000);
      return undefined;
    };
    await sweepNow(broker);
    const second = broker.looker.ledger.find(
      (call) => call.kind === "logout" && call.token === "looker-token-2",
    );
    expect((second?.at ?? 0) - began).toBe(0);
  },
);
