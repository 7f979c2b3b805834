import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, inMemoryBroker } from "../../../support/fakes/in-memory-broker.ts";

/** Somebody else logs in, for long. */
async function withLoginUnderWay() {
  const broker = inMemoryBroker();
  broker.looker.loginMs = 7_000;
  const first = broker.ask();
  while (broker.looker.logins() === 0) await Promise.resolve();
  return { broker, first };
}

describe("a request that waits for another's login", () => {
  it("looks again after about 100 ms, and then ever less often, down to about every 150 ms", async () => {
    for (let instance = 0; instance < 16; instance++) {
      const { broker } = await withLoginUnderWay();
      // Each has a spread of its own.
      let on = broker.instance();
      for (let skipped = 0; skipped < instance; skipped++) on = broker.instance();
      broker.clock.slept.length = 0;
      await broker.ask({ on });
      const [first = 0, ...later] = broker.clock.slept;
      expect(first).toBeGreaterThanOrEqual(75);
      expect(first).toBeLessThan(125);
      later.forEach((pause, index) => {
        expect(pause).toBeGreaterThanOrEqual(broker.clock.slept[index] ?? 0);
        expect(pause).toBeLessThan(1.2 * (broker.clock.slept[index] ?? 0));
      });
      expect(later.at(-1)).toBeGreaterThanOrEqual(112);
      expect(later.at(-1)).toBeLessThan(188);
    }
  });

  it("leaves its invocation a second to answer, and waits for as long as it has more", async () => {
    const { broker } = await withLoginUnderWay();
    const on = broker.instance();
    const deadline = broker.clock.now() + 2_000;
    expect((await broker.ask({ on, budgetMs: 2_000 })).code).toBe("busy");
    expect(broker.clock.now()).toBeLessThanOrEqual(deadline - 1_000);
    broker.clock.slept.length = 0;
    await broker.ask({ on, budgetMs: 2_000 });
    const [pause = 0] = broker.clock.slept;
    broker.clock.slept.length = 0;
    await broker.ask({ on, budgetMs: pause + 1_000 });
    expect(broker.clock.slept).toEqual([pause]);
    broker.clock.slept.length = 0;
    await broker.ask({ on, budgetMs: pause + 999 });
    expect(broker.clock.slept).toEqual([]);
  });
});

describe("a lock that cannot be written", () => {
  it("for a moment leaves the login to a later request, because it may be taken after all", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    const key = callerKey("AROAANOTHERSERVICE00");
    let refused = 0;
    broker.table.before = (operation, name) => {
      if (operation === "write" && name.includes(key.uniqueId) && refused++ < 8)
        throw new Unavailable("dynamodb");
    };
    expect((await broker.ask({ key })).code).toBe("busy");
    expect(broker.looker.logins()).toBe(1);
    expect((await broker.ask({ key })).code).toBe("ok");
  });

  it("as nobody foresaw is an error, and no login begins", async () => {
    const broker = inMemoryBroker();
    broker.table.before = (operation) => {
      if (operation === "write") throw new Error("AccessDeniedException");
    };
    await expect(broker.ask()).rejects.toThrow("AccessDeniedException");
    expect(broker.looker.logins()).toBe(0);
  });
});
