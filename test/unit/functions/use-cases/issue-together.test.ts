import { describe, expect, it } from "vitest";
import { clockSkewMs } from "../../../../functions/domain/lease.ts";
import { lockMs } from "../../../../functions/domain/slot.ts";
import { callerKey, inMemoryBroker, secretId } from "../../../support/fakes/in-memory-broker.ts";

const callers = Array.from({ length: 10 }, (_, n) => callerKey(`AROAREPORTSERVICE0${n}0`));

describe("requests of one caller that arrive at once", () => {
  it("share one login, on however many instances", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 800;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => broker.ask({ on: broker.instance() })),
    );
    expect(broker.looker.logins()).toBe(1);
    expect(new Set(answers.map(({ token }) => token?.accessToken))).toEqual(new Set(["looker-token-1"]));
    expect(answers.filter(({ audit }) => audit.outcome === "minted")).toHaveLength(1);
    expect(answers.filter(({ audit }) => audit.outcome === "waited")).toHaveLength(49);
  });

  it("share one login, though all saw the empty row before any wrote its lock", async () => {
    const broker = inMemoryBroker();
    const crowd = 20;
    let waiting = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    broker.table.before = async (operation, key) => {
      if (operation !== "write" || !key.includes("caller#")) return;
      if (++waiting === crowd) open();
      if (waiting <= crowd) await gate;
    };
    const answers = await Promise.all(
      Array.from({ length: crowd }, () => broker.ask({ on: broker.instance() })),
    );
    expect(waiting).toBeGreaterThanOrEqual(crowd);
    expect(answers.map(({ token }) => token?.accessToken)).toEqual(Array(crowd).fill("looker-token-1"));
    expect(broker.looker.logins()).toBe(1);
  });

  it("wait about three seconds without writing, and are then told to come again", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 7_000;
    const first = broker.ask();
    while (broker.looker.logins() === 0) await Promise.resolve();
    const { calls } = broker.table;
    calls.length = 0;
    const second = await broker.ask({ on: broker.instance() });
    expect([second.code, second.problem?.retryAfterSeconds]).toEqual(["busy", 1]);
    expect(second.audit.wait_ms).toBeGreaterThan(2_000);
    expect(second.audit.wait_ms).toBeLessThanOrEqual(3_000);
    expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(["readForIssue"]));
    expect(calls.length).toBeLessThan(30);
    expect((await first).code).toBe("ok");
  });

  it("do not come back in step", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 1_000;
    await Promise.all(Array.from({ length: 16 }, () => broker.ask({ on: broker.instance() })));
    expect(new Set(broker.clock.slept).size).toBeGreaterThan(5);
  });

  it("share a failure with its back-off, and do not storm a Looker that is down", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 50;
    broker.looker.onLogin = () => ({ kind: "unreached", reason: "refused" });
    const together = () =>
      Promise.all(Array.from({ length: 20 }, () => broker.ask({ on: broker.instance() })));
    for (const answer of await together()) {
      expect(answer.code).toBe("looker_unavailable");
      expect(answer.problem?.retryAfterSeconds).toBe(1);
    }
    expect(broker.looker.logins()).toBe(1);
    broker.clock.jump(1_000);
    await together();
    expect(broker.looker.logins()).toBe(2);
    broker.clock.jump(1_000);
    for (const answer of await together()) expect(answer.problem?.retryAfterSeconds).toBeLessThanOrEqual(2);
    expect(broker.looker.logins()).toBe(2);
  });
});

describe("a lock whose owner is gone", () => {
  it("is taken over when it has run out, and not before", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = (call) => (call === 1 ? new Promise(() => {}) : undefined);
    void broker.ask();
    while (broker.looker.logins() === 0) await Promise.resolve();
    broker.clock.jump(lockMs + 1_000);
    expect((await broker.ask({ on: broker.instance() })).code).toBe("busy");
    broker.clock.jump(clockSkewMs - 1_000);
    // The attempt that was written ahead stands: nobody knows whether Looker counted it.
    broker.table.items.delete(`secret#${secretId} #control`);
    const { token, audit } = await broker.ask({ on: broker.instance() });
    expect(token?.accessToken).toBe("looker-token-1");
    expect(audit.possible_orphans).toBe(1);
  });

  it("fences the owner that comes back: its token is ended, the other's is served to both", async () => {
    const broker = inMemoryBroker();
    await broker.issue({ key: callerKey("AROAREPORTSERVICE999") });
    let resume = () => {};
    const asleep = new Promise<void>((resolve) => {
      resume = resolve;
    });
    broker.looker.onLogin = async (call) => {
      if (call === 2) await asleep;
      return undefined;
    };
    const late = broker.ask({ on: broker.instance(), budgetMs: 60_000 });
    while (broker.looker.logins() < 2) await Promise.resolve();
    broker.clock.jump(lockMs + clockSkewMs);
    const second = await broker.issue({ on: broker.instance() });
    resume();
    expect((await late).token).toEqual(second);
    const [ended] = broker.looker.logouts();
    expect(ended).toBeDefined();
    expect(ended).not.toBe(second.accessToken);
    expect(broker.looker.live).toContain(second.accessToken);
    expect((await broker.slot()).outbox).toEqual([]);
  });

  it("leaves a late token in the outbox when there is no time to end it", async () => {
    const broker = inMemoryBroker();
    await broker.issue({ key: callerKey("AROAREPORTSERVICE999") });
    broker.looker.onLogin = async (call) => {
      if (call === 2) await broker.clock.sleep(lockMs + clockSkewMs + 2_000);
      return undefined;
    };
    const late = broker.ask({ on: broker.instance() });
    while (broker.looker.logins() < 2) await Promise.resolve();
    broker.clock.jump(lockMs + clockSkewMs + 500);
    await broker.issue({ on: broker.instance() });
    await late;
    expect(broker.looker.logouts()).toEqual([]);
    expect((await broker.slot()).outbox).toHaveLength(1);
  });
});

describe("a version of the secret that never worked", () => {
  it("is proven by one login of the whole fleet, and then used by all", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 500;
    const first = await Promise.all(callers.map((key) => broker.ask({ key, on: broker.instance() })));
    expect(broker.looker.logins()).toBe(1);
    expect(first.filter(({ code }) => code === "ok")).toHaveLength(1);
    expect(first.filter(({ code }) => code === "busy")).toHaveLength(9);
    broker.clock.jump(1_000);
    const second = await Promise.all(callers.map((key) => broker.ask({ key, on: broker.instance() })));
    expect(second.map(({ code }) => code)).toEqual(Array(10).fill("ok"));
    expect(broker.looker.logins()).toBe(10);
  });

  it("and is wrong costs one failed login per six minutes, whoever asks how often", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "rejected" });
    const end = broker.clock.now() + 13 * 60_000;
    while (broker.clock.now() < end) {
      for (const key of callers) {
        const { code } = await broker.ask({ key, on: broker.instance() });
        expect(code).not.toBe("ok");
      }
      broker.clock.jump(15_000);
    }
    expect([2, 3]).toContain(broker.looker.logins());
  });

  it("and is wrong spends no budget but that of its login: the answer stays the one that helps", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "rejected" });
    for (let round = 0; round < 20; round++) {
      expect((await broker.ask()).code).toBe("looker_rejected_credentials");
      broker.clock.jump(11_000);
    }
    broker.looker.onLogin = undefined;
    broker.stored.set(secretId, { clientId: "clientOne", clientSecret: "right", versionId: "version-2" });
    broker.clock.jump(11_000);
    expect((await broker.ask()).code).toBe("ok");
  });

  it("is not needed any more when a newer one is there: that is tried within seconds", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = (call) => (call === 1 ? { kind: "rejected" } : undefined);
    expect((await broker.ask()).code).toBe("looker_rejected_credentials");
    broker.stored.set(secretId, { clientId: "clientOne", clientSecret: "right", versionId: "version-2" });
    broker.clock.jump(10_000);
    expect((await broker.ask()).code).toBe("ok");
    expect(broker.looker.ledger.at(-1)).toMatchObject({ clientSecret: "right" });
  });

  it("is met by instances that remember the old one, as soon as another has met it", async () => {
    const broker = inMemoryBroker();
    const [warm, other] = [broker.instance(), broker.instance()];
    await broker.issue({ on: warm });
    broker.stored.set(secretId, { clientId: "clientTwo", clientSecret: "two", versionId: "version-2" });
    broker.clock.jump(20_000);
    await broker.issue({ on: other, key: callerKey("AROAREPORTSERVICE001") });
    await broker.issue({ on: warm, key: callerKey("AROAREPORTSERVICE002") });
    expect(broker.looker.ledger.at(-1)).toMatchObject({ clientId: "clientTwo" });
  });
});
