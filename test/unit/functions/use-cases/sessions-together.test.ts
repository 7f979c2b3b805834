/** Many sessions of one caller at once, each on an instance of its own. */
import { describe, expect, it } from "vitest";
import { settleLogin, spendLogin } from "../../../../functions/domain/session-budget.ts";
import { commit } from "../../../../functions/use-cases/commit.ts";
import { Unavailable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, inMemoryBroker, sales } from "../../../support/fakes/in-memory-broker.ts";
import { inMemoryOperator } from "../../../support/fakes/in-memory-operator.ts";

const session = (name: string) => callerKey(undefined, undefined, name);
const many = { ...sales, sessionMintsPerTenMinutes: 600 };

/** The table answers after five milliseconds, and the secret has worked before. */
async function provenBroker() {
  const broker = inMemoryBroker();
  await broker.issue();
  broker.table.after = async () => void (await broker.clock.sleep(5));
  broker.looker.loginMs = 300;
  const before = broker.looker.logins();
  const budget = () => broker.table.sessionBudgets.read(callerKey());
  const askAtOnce = (sessions: number, scope = sales) =>
    Promise.all(
      Array.from({ length: sessions }, (_, each) =>
        broker.ask({ on: broker.instance(), key: session(`run-${each}`), scope }),
      ),
    );
  return { ...broker, askAtOnce, budget, loginsOfSessions: () => broker.looker.logins() - before };
}

describe("a crowd of sessions", () => {
  it.each([
    [60, 0],
    [100, 5],
  ])("of %i stays within its budget, and at most %i must come again in a second", async (size, most) => {
    const { askAtOnce, loginsOfSessions, budget } = await provenBroker();
    const answers = await askAtOnce(size, many);
    const late = answers.filter(({ code }) => code !== "ok");
    expect(late.length).toBeLessThanOrEqual(most);
    for (const { code, problem } of late) expect([code, problem?.retryAfterSeconds]).toEqual(["busy", 1]);
    expect(loginsOfSessions()).toBe(size - late.length);
    expect(Object.values((await budget()).minutes)).toEqual([size - late.length]);
  });
});

describe("a Looker that fails", () => {
  it.each([300, 3_000, 7_500])(
    "(each login after %i ms) is not stormed by sessions that come again as told: after the first crowd one tries for all",
    async (loginMs) => {
      const { looker, clock, ask, instance } = await provenBroker();
      looker.loginMs = loginMs;
      looker.onLogin = () => ({ kind: "failed", reason: "status_502" });
      const began = clock.now();
      const untilOver = Array.from({ length: 60 }, async (_, each) => {
        const on = instance();
        while (clock.now() - began < 300_000) {
          const { problem } = await ask({ on, key: session(`run-${each}`) });
          await clock.sleep((problem?.retryAfterSeconds ?? 1) * 1_000);
        }
      });
      await Promise.all(untilOver);
      const afterFirst = looker.ledger.filter(({ at }) => at > began + loginMs);
      // The back-off alone, as for one slot: 13 in five minutes.
      expect(afterFirst.length).toBeLessThan(26);
    },
  );

  it("has failed once after one blip for eight sessions at once, and the next is told to come in a second", async () => {
    const { askAtOnce, looker, ask, budget } = await provenBroker();
    looker.onLogin = () => ({ kind: "failed", reason: "status_502" });
    await askAtOnce(8);
    expect((await budget()).failures).toMatchObject([{ count: 1 }]);
    expect((await ask({ key: session("later") })).problem?.retryAfterSeconds ?? 0).toBeLessThanOrEqual(2);
  });

  it("is asked once by all requests of one session, although the record of the failure is slow", async () => {
    const { table, looker, clock, ask, instance, loginsOfSessions } = await provenBroker();
    looker.onLogin = () => ({ kind: "failed", reason: "status_502" });
    let writes = 0;
    table.before = async (operation, key) => {
      if (operation === "write" && key.includes("sessions#") && ++writes === 2) await clock.sleep(400);
    };
    await Promise.all(Array.from({ length: 20 }, () => ask({ on: instance(), key: session("job") })));
    expect(loginsOfSessions()).toBe(1);
  });

  it("is tried by one session, and the others come again in a second, not after its back-off", async () => {
    const { looker, clock, ask, instance } = await provenBroker();
    looker.onLogin = () => ({ kind: "failed", reason: "status_502" });
    await ask({ key: session("a") });
    looker.onLogin = undefined;
    clock.jump(1_000);
    const [tries, waits] = await Promise.all([
      ask({ on: instance(), key: session("a") }),
      clock.sleep(100).then(() => ask({ on: instance(), key: session("b") })),
    ]);
    expect([tries.code, waits.code, waits.problem?.retryAfterSeconds]).toEqual(["ok", "busy", 1]);
    expect((await ask({ key: session("b") })).code).toBe("ok");
  });
});

describe("a record of a login's end whose answer is lost", () => {
  it("gives the count back once, although another session wrote in between", async () => {
    const { table, clock, instance, budget } = await provenBroker();
    const ask = { digest: "d", sessionMintsPerTenMinutes: 3 };
    const deadline = clock.now() + 20_000;
    const [one, other] = [instance(), instance()];
    const spend = (on: typeof one, owner: string) =>
      commit(table.sessionBudgets, callerKey(), (row, now) => spendLogin(row, ask, owner, now), {
        ...on,
        deadline,
      });
    const first = await spend(one, "first");
    await spend(other, "second");
    await spend(other, "third");
    if (first.kind !== "spent") throw new Error("the budget has room for three");
    let isLost = false;
    table.after = async (operation, key) => {
      if (isLost || operation !== "write" || !key.includes("sessions#")) return;
      isLost = true;
      await spend(other, "fourth");
      throw new Unavailable("dynamodb");
    };
    const settle = { ...one, deadline };
    await commit(
      table.sessionBudgets,
      callerKey(),
      (row, now) => ({ next: settleLogin(row, "d", first, { noTokenLeft: true }, now), outcome: undefined }),
      settle,
    );
    expect(Object.values((await budget()).minutes)).toEqual([3]);
  });
});

describe("trouble of one session", () => {
  it("with its own row is not told to the caller's others", async () => {
    const { table, clock, ask, issue } = await provenBroker();
    const { leaseId } = await issue({ key: session("a") });
    clock.jump(20_000);
    let writes = 0;
    table.before = (operation, key) => {
      // The session's lock is written, and then the row cannot be written for a while.
      const isOwn = operation === "write" && key.endsWith("#session#a");
      if (isOwn && ++writes > 1 && writes < 10) throw new Unavailable("dynamodb");
    };
    const own = await ask({ key: session("a"), staleLeaseId: leaseId });
    const other = await ask({ key: session("b") });
    expect([own.code, own.audit.reason, other.code]).toEqual(["busy", "dynamodb_unavailable", "ok"]);
  });

  it("that meets a freeze under its lock forgets no failure of the others", async () => {
    const broker = inMemoryBroker();
    const { freeze } = inMemoryOperator(broker);
    broker.looker.onLogin = () => ({ kind: "failed", reason: "status_502" });
    for (let run = 0; run < 3; run++) {
      await broker.ask({ key: session(`run-${run}`) });
      broker.clock.jump(31_000);
    }
    broker.table.after = async (operation, key) => {
      if (operation !== "write" || !key.includes("#session#")) return;
      broker.table.after = undefined;
      await freeze();
    };
    expect((await broker.ask({ key: session("other") })).code).toBe("scope_frozen");
    const { failures, probes } = await broker.table.sessionBudgets.read(callerKey());
    expect([failures[0]?.count, probes]).toEqual([3, {}]);
  });
});
