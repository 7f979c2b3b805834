/** One pod of a role reports lease after lease as stale, true or not. */
import { expect, it } from "vitest";
import { inMemoryBroker, sales } from "../support/fakes/in-memory-broker.ts";

it("a lease younger than ten seconds: the report does not count, and nothing is logged in or out", async () => {
  const broker = inMemoryBroker();
  const held = await broker.issue();
  for (let second = 0; second < 10; second++) {
    const { code, problem } = await broker.ask({ staleLeaseId: held.leaseId });
    expect([code, problem?.retryAfterSeconds]).toEqual(["busy", 10 - second]);
    expect((await broker.issue({ on: broker.instance() })).leaseId).toBe(held.leaseId);
    broker.clock.jump(1_000);
  }
  expect([broker.looker.logins(), broker.looker.logouts()]).toEqual([1, []]);
});

it.each(["another-lease-id", "lease-of-somebody-else", "x".repeat(64)])(
  "a lease that is not the current one (%s): the current one is the answer",
  async (staleLeaseId) => {
    const broker = inMemoryBroker();
    const held = await broker.issue();
    broker.clock.jump(60_000);
    for (let turn = 0; turn < 50; turn++)
      expect((await broker.issue({ staleLeaseId })).leaseId).toBe(held.leaseId);
    expect(broker.looker.logins()).toBe(1);
  },
);

it("the same report by a hundred pods at once: one login, one answer", async () => {
  const broker = inMemoryBroker();
  broker.looker.loginMs = 300;
  const held = await broker.issue();
  broker.clock.jump(11_000);
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => broker.ask({ on: broker.instance(), staleLeaseId: held.leaseId })),
  );
  const ids = new Set(answers.map(({ token }) => token?.leaseId));
  expect(ids.size).toBe(1);
  expect(ids.has(held.leaseId)).toBe(false);
  expect(broker.looker.logins()).toBe(2);
});

it("every lease, for as long as it can: at most the budget, and the role's others are always served", async () => {
  const broker = inMemoryBroker();
  const liar = broker.instance();
  let held = await broker.issue();
  let refused = 0;
  for (let second = 0; second < 590; second++) {
    const { token, code } = await broker.ask({ on: liar, staleLeaseId: held.leaseId });
    if (token) held = token;
    else refused++;
    expect(["ok", "busy", "too_many_mints"]).toContain(code);
    const other = await broker.issue();
    expect(other.leaseId).toBe(held.leaseId);
    expect(broker.looker.live.has(other.accessToken)).toBe(true);
    broker.clock.jump(1_000);
  }
  expect(broker.looker.logins()).toBe(sales.mintsPerTenMinutes);
  expect(refused).toBeGreaterThan(500);
  expect((await broker.slot()).outbox.length + (await broker.slot()).superseded.length).toBeLessThanOrEqual(
    16,
  );
});
