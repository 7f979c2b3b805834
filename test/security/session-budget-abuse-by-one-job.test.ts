/** One job of a role takes a fresh session for each step, at the cost of a service with the same role. */
import { expect, it } from "vitest";
import { callerKey, inMemoryBroker, sales } from "../support/fakes/in-memory-broker.ts";

const session = (name: string) => callerKey(undefined, undefined, name);

it("makes no more logins in ten minutes than the budget of all sessions, and never the service's", async () => {
  const broker = inMemoryBroker();
  const began = broker.clock.now();
  let refused = 0;
  for (let step = 0; step < 300; step++) {
    const key = session(`step-${step}`);
    const { code, problem } = await broker.ask({ key });
    if (code !== "ok") {
      refused++;
      expect([code, problem?.retryAfterSeconds]).toEqual(["too_many_mints", expect.any(Number)]);
    }
    await broker.logOut({ key });
    broker.clock.jump(1_000);
  }
  expect(broker.clock.now() - began).toBeLessThan(600_000);
  expect([broker.looker.logins(), refused]).toEqual([60, 240]);
  expect((await broker.ask()).code).toBe("ok");
});

it("leaves no rows behind for names that were refused", async () => {
  const broker = inMemoryBroker();
  const scope = { ...sales, sessionMintsPerTenMinutes: 1 };
  await broker.issue({ key: session("first"), scope });
  const before = broker.table.items.size;
  for (let step = 0; step < 100; step++) await broker.ask({ key: session(`step-${step}`), scope });
  expect(broker.table.items.size).toBe(before);
});

it("cannot cause Looker's lock-out by failing under fresh names", async () => {
  const broker = inMemoryBroker();
  broker.looker.onLogin = () => ({ kind: "rejected" });
  for (let step = 0; step < 100; step++) {
    await broker.ask({ key: session(`step-${step}`) });
    broker.clock.jump(1_000);
  }
  expect(broker.looker.logins()).toBe(1);
});
