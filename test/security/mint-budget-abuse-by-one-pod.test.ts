/** One pod of a role has Looker make token after token, whatever that costs the others. */
import { expect, it } from "vitest";
import { inMemoryBroker, sales } from "../support/fakes/in-memory-broker.ts";
import { numberedCaller } from "../support/fakes/in-memory-operator.ts";

const windowMs = 600_000;

it("by logging out after every token: ten logins in ten minutes, then it is told when to come again", async () => {
  const broker = inMemoryBroker();
  const [role, other] = [numberedCaller(1), numberedCaller(1, "report-other")];
  const untouched = await broker.issue({ key: other });
  const began = broker.clock.now();
  let refusals = 0;
  for (let turn = 0; turn < 200; turn++) {
    const { code, problem } = await broker.ask({ key: role });
    if (code !== "ok") {
      refusals++;
      expect(code).toBe("too_many_mints");
      expect(problem?.retryAfterSeconds).toBeGreaterThan(0);
      expect(problem?.retryAfterSeconds).toBeLessThanOrEqual(windowMs / 1_000);
    }
    await broker.logOut({ key: role });
    broker.clock.jump(1_000);
  }
  expect(broker.clock.now() - began).toBeLessThan(windowMs);
  expect(broker.looker.logins()).toBe(1 + sales.mintsPerTenMinutes);
  expect(refusals).toBe(200 - sales.mintsPerTenMinutes);
  // Another role has a budget of its own.
  expect((await broker.issue({ key: other })).leaseId).toBe(untouched.leaseId);
  expect((await broker.ask({ key: numberedCaller(2, "report-other") })).code).toBe("ok");
});

it("and when it comes again as told, it is served", async () => {
  const broker = inMemoryBroker();
  for (let turn = 0; turn < sales.mintsPerTenMinutes; turn++) {
    await broker.issue();
    await broker.logOut();
    broker.clock.jump(1_000);
  }
  const { problem } = await broker.ask();
  broker.clock.jump((problem?.retryAfterSeconds ?? 0) * 1_000);
  expect((await broker.ask()).code).toBe("ok");
  expect((await broker.ask()).audit.outcome).toBe("hit");
});

it("the role's other pods are served the live lease though the budget is spent", async () => {
  const broker = inMemoryBroker();
  let held = await broker.issue();
  for (;;) {
    broker.clock.jump(11_000);
    const { token, code } = await broker.ask({ staleLeaseId: held.leaseId });
    if (!token) {
      expect(code).toBe("too_many_mints");
      break;
    }
    held = token;
  }
  expect(broker.looker.logins()).toBe(sales.mintsPerTenMinutes);
  for (let pod = 0; pod < 20; pod++) {
    const { token, audit } = await broker.ask({ on: broker.instance() });
    expect([token?.leaseId, audit.outcome]).toEqual([held.leaseId, "hit"]);
  }
});

it("a request for more life than the lease has left does not spend the budget faster than leases age", async () => {
  const broker = inMemoryBroker();
  for (let turn = 0; turn < 50; turn++) {
    expect((await broker.ask({ minTtlSeconds: 450 })).code).toBe("ok");
    broker.clock.jump(1_000);
  }
  expect(broker.looker.logins()).toBe(1);
});
