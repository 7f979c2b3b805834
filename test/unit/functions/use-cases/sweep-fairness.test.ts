import { describe, expect, it } from "vitest";
import type { IssuedToken } from "../../../../functions/use-cases/issue.ts";
import type { LogoutOutcome } from "../../../../functions/use-cases/ports.ts";
import {
  firstSecret,
  type InMemoryBroker,
  inMemoryBroker,
  scopeNamed,
  secretId,
} from "../../../support/fakes/in-memory-broker.ts";
import { numberedCaller, sweepNow } from "../../../support/fakes/in-memory-operator.ts";

const minute = 60_000;

/** Of two scopes at one Looker, each with an account of its own: `sick` leases of one, due first, and `healthy` of the other. */
async function twoAccounts(sick: number, healthy: number) {
  const broker = inMemoryBroker();
  const issue = async (count: number, role: string, scope: string) => {
    const tokens: IssuedToken[] = [];
    for (let number = 0; number < count; number++)
      tokens.push(await broker.issue({ scope: scopeNamed(scope), key: numberedCaller(number, role, scope) }));
    return new Set(tokens.map(({ accessToken }) => accessToken));
  };
  const ofSick = await issue(sick, "report-service", "sales");
  broker.clock.jump(5_000);
  const ofHealthy = await issue(healthy, "hr", "people");
  broker.clock.jump(15 * minute);
  return { broker, ofSick, ofHealthy };
}

const left = (broker: InMemoryBroker, tokens: ReadonlySet<string>) =>
  [...tokens].filter((token) => broker.looker.live.has(token)).length;

describe("an account whose logouts are never confirmed", () => {
  it.each([200, 1_500])(
    "with %i tokens takes no other account's turn: the other's 20 are ended by the first sweep",
    async (sick) => {
      const { broker, ofSick, ofHealthy } = await twoAccounts(sick, 20);
      const began = broker.clock.now();
      let lastHealthy = 0;
      broker.looker.onLogout = async (token): Promise<LogoutOutcome> => {
        await broker.clock.sleep(200);
        if (ofSick.has(token)) return "unconfirmed";
        lastHealthy = broker.clock.now() - began;
        return "ended";
      };
      const { revoked } = await sweepNow(broker);
      expect(revoked).toBe(20);
      expect(left(broker, ofHealthy)).toBe(0);
      // In turns, 40 logouts at no less than four at once.
      expect(lastHealthy).toBeLessThan(5_000);
    },
  );

  it.each<[string, LogoutOutcome, number]>([
    ["are not answered", "timed_out", 8_000],
    ["meet errors", "failed", 50],
  ])("because they %s does not open the other's circuit", async (_, outcome, ms) => {
    const { broker, ofSick, ofHealthy } = await twoAccounts(300, 20);
    broker.looker.onLogout = async (token): Promise<LogoutOutcome> => {
      await broker.clock.sleep(ofSick.has(token) ? ms : 50);
      return ofSick.has(token) ? outcome : "ended";
    };
    await sweepNow(broker);
    expect(left(broker, ofHealthy)).toBe(0);
    // Five, and those that were under way with the fifth.
    const tried = broker.looker.logouts().filter((token) => ofSick.has(token)).length;
    expect(tried).toBeLessThanOrEqual(8);
  });

  // After a rotation one Looker user has two client ids. A service account that hangs then hangs twice.
  it("because they are not answered, with either of its two pairs, does not open the host's circuit", async () => {
    const broker = inMemoryBroker();
    const issue = (number: number, role: string, scope: string) =>
      broker.issue({
        scope: scopeNamed(scope),
        key: numberedCaller(number, role, scope),
        on: broker.instance(),
      });
    for (let number = 0; number < 100; number++) await issue(number, "report-service", "sales");
    broker.stored.set(secretId, { ...firstSecret, clientId: "clientTwo", versionId: "version-2" });
    for (let number = 100; number < 200; number++) await issue(number, "report-service", "sales");
    broker.clock.jump(5_000);
    const ofHealthy = new Set<string>();
    for (let number = 0; number < 20; number++) {
      const { accessToken } = await issue(number, "hr", "people");
      ofHealthy.add(accessToken);
    }
    broker.clock.jump(15 * minute);
    broker.looker.onLogout = async (token): Promise<LogoutOutcome> => {
      await broker.clock.sleep(ofHealthy.has(token) ? 50 : 8_000);
      return ofHealthy.has(token) ? "ended" : "timed_out";
    };
    await sweepNow(broker);
    expect(left(broker, ofHealthy)).toBe(0);
  });

  it("is still tried when it is well again: nothing is given up", async () => {
    const { broker, ofSick } = await twoAccounts(40, 1);
    broker.looker.onLogout = (token) => (ofSick.has(token) ? "unconfirmed" : undefined);
    for (let sweeps = 0; sweeps < 3; sweeps++) {
      await sweepNow(broker);
      broker.clock.jump(minute);
    }
    broker.looker.onLogout = undefined;
    broker.clock.jump(5 * minute);
    expect((await sweepNow(broker)).revoked).toBe(40);
    expect(broker.looker.live.size).toBe(0);
  });
});

it("of one account those that were tried least often come first, though they are due last", async () => {
  const { broker } = await twoAccounts(300, 0);
  broker.looker.onLogout = () => "unconfirmed";
  await sweepNow(broker);
  const late = await broker.issue({ key: numberedCaller(999) });
  broker.clock.jump(15 * minute);
  const before = broker.looker.logouts().length;
  broker.looker.onLogout = async (): Promise<LogoutOutcome> => {
    await broker.clock.sleep(1_000);
    return "unconfirmed";
  };
  await sweepNow(broker);
  const order = broker.looker.logouts().slice(before);
  // 64 had been taken out of the queue before it came into it.
  expect(order.indexOf(late.accessToken)).toBeGreaterThan(0);
  expect(order.indexOf(late.accessToken)).toBeLessThanOrEqual(64);
});

describe("the index", () => {
  it("is not read to its end before logouts begin", async () => {
    const { broker } = await twoAccounts(350, 0);
    const { queryDue } = broker.table;
    let pages = 0;
    const whenPaged: number[] = [];
    broker.table.queryDue = async function* (now) {
      for await (const page of queryDue(now)) {
        pages++;
        whenPaged.push(broker.looker.logouts().length);
        yield page;
        await broker.clock.sleep(1_000);
      }
    };
    await sweepNow(broker);
    expect(pages).toBeGreaterThanOrEqual(4);
    expect(whenPaged.at(-1)).toBeGreaterThan(100);
    expect(broker.looker.live.size).toBe(0);
  });

  it("that fails on a later page leaves nothing under way, and what was read is ended", async () => {
    const { broker } = await twoAccounts(150, 0);
    const { queryDue } = broker.table;
    broker.table.queryDue = async function* (now) {
      for await (const page of queryDue(now)) {
        yield page;
        throw new Error("index");
      }
    };
    let underWay = 0;
    broker.looker.onLogout = async () => {
      underWay++;
      await broker.clock.sleep(500);
      underWay--;
      return undefined;
    };
    await expect(sweepNow(broker)).rejects.toThrow("index");
    expect(underWay).toBe(0);
    expect(broker.looker.live.size).toBe(50);
  });
});

describe("how long the oldest pending token waits", () => {
  it("is told as of its next try, so that an alarm on it is not late", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.looker.onLogout = () => "unconfirmed";
    await broker.logOut();
    broker.clock.jump(15_000);
    // Tried once more now, 15 s after it was to be dead; the next try comes 30 s later.
    expect((await sweepNow(broker)).audit.oldest_pending_ms).toBe(45_000);
    broker.clock.jump(30_000);
    expect((await sweepNow(broker)).audit.oldest_pending_ms).toBe(105_000);
  });

  it("is as of now for what was not tried", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    await broker.logOut({ budgetMs: 5_000 });
    broker.clock.jump(20_000);
    expect((await sweepNow(broker, { budgetMs: 5_000 })).audit.oldest_pending_ms).toBe(20_000);
  });
});
