import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import {
  callerKey,
  type InMemoryBroker,
  inMemoryBroker,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";

const isSlot = (key: string) => key.includes("caller#");
const isSecret = (key: string) => key.startsWith("secret#");

/**
 * Once Looker has made a token, every write to the rows that `which` names is refused for `ms`. Nothing of them takes effect, and
 * no answer tells so.
 */
function refuseWrites(broker: InMemoryBroker, ms: number, which = (_: string) => true): void {
  let from: number | undefined;
  broker.looker.onLogin = () => {
    from ??= broker.clock.now();
    return undefined;
  };
  broker.table.before = (operation, key) => {
    const refused = from !== undefined && broker.clock.now() < from + ms;
    if (operation === "write" && refused && which(key)) throw new Unavailable("dynamodb");
  };
}

/** The secret has proven itself with another caller: nothing is written ahead, and nothing of it is under test. */
async function provenBroker() {
  const broker = inMemoryBroker();
  await broker.issue({ key: callerKey("AROAREPORTSERVICE999") });
  await broker.logOut({ key: callerKey("AROAREPORTSERVICE999") });
  return broker;
}

describe("a table that refuses writes after a login", () => {
  it.each([2_000, 5_000, 12_000])(
    "for %i ms: the token is stored, and served to the one who waited",
    async (ms) => {
      const broker = await provenBroker();
      refuseWrites(broker, ms);
      const { token, audit } = await broker.ask();
      expect(token?.accessToken).toBe("looker-token-2");
      expect(audit).toMatchObject({ outcome: "minted" });
      expect(audit.possible_orphans).toBeUndefined();
      expect(broker.looker.live).toEqual(new Set(["looker-token-2"]));
      // The caller's logout right after finds it.
      expect(await broker.logOut()).toMatchObject({ revoked: 1, pending: 0 });
      expect(broker.looker.live.size).toBe(0);
    },
  );

  it("until after the lock's end: the token is ended at Looker, and nobody is told of a lease", async () => {
    const broker = await provenBroker();
    refuseWrites(broker, 16_000);
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", undefined]);
    expect(broker.looker.logouts()).toContain("looker-token-2");
    expect(broker.looker.live.size).toBe(0);
    expect(await broker.slot()).toMatchObject({ lease: undefined, mint: undefined, outbox: [] });
    expect(await broker.logOut()).toMatchObject({ revoked: 0, pending: 0 });
  });

  it.each([
    ["after the lock's end", 16_000],
    ["little before the invocation's end", 24_000],
  ])(
    "until %s, and Looker does not confirm: the token is in the outbox, for the logout that comes next",
    async (_, ms) => {
      const broker = await provenBroker();
      refuseWrites(broker, ms);
      broker.looker.onLogout = () => "unconfirmed";
      const { code, audit } = await broker.ask();
      expect([code, audit.possible_orphans]).toEqual(["busy", undefined]);
      expect(broker.looker.live).toEqual(new Set(["looker-token-2"]));
      expect((await broker.slot()).outbox).toHaveLength(1);
      broker.looker.onLogout = undefined;
      expect(await broker.logOut()).toMatchObject({ revoked: 1, pending: 0 });
      expect(broker.looker.live.size).toBe(0);
    },
  );

  it("for good, and Looker does not confirm: only then it is counted", async () => {
    const broker = await provenBroker();
    refuseWrites(broker, 600_000);
    broker.looker.onLogout = () => "timed_out";
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", 1]);
  });

  it("does not let a lock go before its token is where it can be found", async () => {
    const broker = await provenBroker();
    refuseWrites(broker, 5_000);
    let others = 0;
    const underWay = broker.ask();
    while (broker.looker.logins() < 2) await Promise.resolve();
    while (others < 3) {
      const { code, audit } = await broker.ask({ on: broker.instance() });
      expect(["ok", "busy"]).toContain(code);
      expect(audit.logins).toBeUndefined();
      others++;
    }
    expect((await underWay).code).toBe("ok");
    expect(broker.looker.logins()).toBe(2);
  });
});

describe("KMS that is away after a login", () => {
  function withoutKms(broker: InMemoryBroker, ms: number): void {
    const { seal } = broker.sealer;
    let from: number | undefined;
    broker.sealer.seal = async (...parameters) => {
      from ??= broker.clock.now();
      if (broker.clock.now() < from + ms) throw new Unavailable("kms");
      return await seal(...parameters);
    };
  }

  it.each([2_000, 5_000, 12_000])("for %i ms costs nobody the token", async (ms) => {
    const broker = await provenBroker();
    withoutKms(broker, ms);
    const { token, audit } = await broker.ask();
    expect([token?.accessToken, audit.possible_orphans]).toEqual(["looker-token-2", undefined]);
    expect(broker.looker.live).toEqual(new Set(["looker-token-2"]));
  });

  it("until after the lock's end has the token ended at Looker, and spends no budget", async () => {
    const broker = await provenBroker();
    withoutKms(broker, 60_000);
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", undefined]);
    expect(broker.looker.live.size).toBe(0);
    expect(Object.values((await broker.slot()).mintedAt)).toEqual([[]]);
  });

  it("until after the lock's end, and Looker does not confirm, is counted: nothing sealed can be tracked", async () => {
    const broker = await provenBroker();
    withoutKms(broker, 60_000);
    broker.looker.onLogout = () => "unconfirmed";
    const { code, audit } = await broker.ask();
    expect([code, audit.possible_orphans]).toEqual(["busy", 1]);
    expect(Object.values((await broker.slot()).mintedAt)).toMatchObject([[expect.any(Number)]]);
  });
});

describe("the secret's row, refused after the first login with a version", () => {
  it.each([2_000, 5_000, 12_000, 20_000])("for %i ms does not lose that the version worked", async (ms) => {
    const broker = inMemoryBroker();
    refuseWrites(broker, ms, isSecret);
    expect((await broker.ask()).code).toBe("ok");
    expect((await broker.table.secretControls.read(secretId)).attempts).toMatchObject([{ state: "worked" }]);
    const other = await broker.ask({ key: callerKey("AROAREPORTSERVICE001"), on: broker.instance() });
    expect(other.code).toBe("ok");
  });

  it("for good: the caller has its token all the same, and the record says why others wait", async () => {
    const broker = inMemoryBroker();
    refuseWrites(broker, 600_000, isSecret);
    const { code, audit } = await broker.ask();
    expect([code, audit.reason]).toEqual(["ok", "attempt_not_recorded"]);
  });

  it("is not waited for to store the token: the two are written side by side", async () => {
    const broker = inMemoryBroker();
    refuseWrites(broker, 5_000, isSecret);
    let storedAt = 0;
    broker.table.after = (operation, key) => {
      if (operation === "write" && isSlot(key) && broker.looker.logins() === 1)
        storedAt ||= broker.clock.now();
    };
    const began = broker.clock.now();
    await broker.ask();
    expect(storedAt - began).toBeLessThan(1_000);
  });
});

describe("a process that was frozen while Looker answered", () => {
  it.each([
    ["within the lock's life", 5_000],
    ["past the lock's end", 16_000],
    ["past the end of its invocation", 40_000],
    ["for an hour", 3_600_000],
  ])("%s stores its token or ends it", async (_, ms) => {
    const broker = await provenBroker();
    broker.looker.onLogin = () => {
      broker.clock.jump(ms);
      return undefined;
    };
    const { audit } = await broker.ask();
    expect(audit.possible_orphans).toBeUndefined();
    const { lease, outbox } = await broker.slot();
    const tracked = (lease ? 1 : 0) + outbox.length;
    expect(broker.looker.live.size).toBe(tracked);
  });

  it("tries once to store it though its time is over, and ends it at Looker when that fails", async () => {
    const broker = await provenBroker();
    broker.looker.onLogin = () => {
      broker.clock.jump(3_000_000);
      return undefined;
    };
    broker.table.before = (operation) => {
      if (operation === "write" && broker.looker.logins() === 2) throw new Unavailable("dynamodb");
    };
    const { audit } = await broker.ask();
    expect(broker.looker.logouts()).toContain("looker-token-2");
    expect(broker.looker.live.size).toBe(0);
    expect(audit.possible_orphans).toBeUndefined();
  });

  it("does not take the lock back from the one who has it now: its token goes to the outbox and is ended", async () => {
    const broker = await provenBroker();
    let second: Promise<{ accessToken: string }> | undefined;
    broker.looker.onLogin = async (call) => {
      if (call !== 2) return undefined;
      broker.clock.jump(21_000);
      second = broker.issue({ on: broker.instance() });
      await second;
      return undefined;
    };
    await broker.ask({ budgetMs: 60_000 });
    const { accessToken } = (await second) ?? expect.fail("nobody asked");
    expect(broker.looker.live).toEqual(new Set([accessToken]));
    expect(await broker.slot()).toMatchObject({ mint: undefined, outbox: [] });
  });
});
