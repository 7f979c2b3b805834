import { describe, expect, it } from "vitest";
import { sessionBudgetKey } from "../../../../functions/adapters/rows.ts";
import { Unavailable, Unreadable } from "../../../../functions/use-cases/ports.ts";
import { callerKey, inMemoryBroker, sales } from "../../../support/fakes/in-memory-broker.ts";
import { nameOf } from "../../../support/fakes/memory-slot-table.ts";

const session = (name: string) => callerKey(undefined, undefined, name);
const budgetOf = (broker: ReturnType<typeof inMemoryBroker>) => broker.table.sessionBudgets.read(callerKey());
const writes = (broker: ReturnType<typeof inMemoryBroker>) =>
  broker.table.calls.filter(({ operation }) => operation === "write").length;

describe("a session", () => {
  it("has a token of its own, apart from the one shared by the caller's processes", async () => {
    const broker = inMemoryBroker();
    const shared = await broker.issue();
    const job = await broker.issue({ key: session("job") });
    const other = await broker.issue({ key: session("other") });
    expect(new Set([shared, job, other].map(({ accessToken }) => accessToken)).size).toBe(3);
    expect((await broker.issue({ key: session("job") })).leaseId).toBe(job.leaseId);
    expect((await broker.issue()).leaseId).toBe(shared.leaseId);
  });

  it("is served on the hot path by one call without a write", async () => {
    const broker = inMemoryBroker();
    await broker.issue({ key: session("job") });
    broker.table.calls.length = 0;
    const { audit } = await broker.ask({ key: session("job") });
    expect(audit.outcome).toBe("hit");
    expect(broker.table.calls.map(({ operation }) => operation)).toEqual(["readForIssue"]);
  });

  it("logs in once, however many ask at once", async () => {
    const broker = inMemoryBroker();
    broker.looker.loginMs = 500;
    const asked = Array.from({ length: 50 }, () =>
      broker.ask({ on: broker.instance(), key: session("job") }),
    );
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ token }) => token?.accessToken)).size).toBe(1);
    expect(broker.looker.logins()).toBe(1);
    expect(Object.values((await budgetOf(broker)).minutes)).toEqual([1]);
  });

  it("spends from the budget of sessions, and nothing of the shared lease's budget", async () => {
    const broker = inMemoryBroker();
    for (let run = 0; run < sales.mintsPerTenMinutes + 2; run++)
      await broker.issue({ key: session(`run-${run}`) });
    expect((await broker.ask()).code).toBe("ok");
    expect((await broker.slot(session("run-0"))).mintedAt).toEqual({});
    expect((await budgetOf(broker)).minutes).not.toEqual({});
  });
});

describe("the budget of all sessions", () => {
  const few = { ...sales, sessionMintsPerTenMinutes: 3 };
  async function spent() {
    const broker = inMemoryBroker();
    for (let run = 0; run < 3; run++) await broker.issue({ key: session(`run-${run}`), scope: few });
    return broker;
  }

  it("bounds a job with a fresh name each time, and nothing is written once it is spent", async () => {
    const broker = await spent();
    const before = writes(broker);
    for (let run = 3; run < 20; run++) {
      const { code, problem } = await broker.ask({ key: session(`run-${run}`), scope: few });
      expect(code).toBe("too_many_mints");
      expect(problem?.retryAfterSeconds).toBeGreaterThan(0);
    }
    expect([writes(broker), broker.looker.logins()]).toEqual([before, 3]);
    expect((await broker.ask({ scope: few })).code).toBe("ok");
    expect(
      (await broker.ask({ key: { ...callerKey("AROAANOTHERSERVICE00"), session: "job" }, scope: few })).code,
    ).toBe("ok");
  });

  it("keeps no live lease back when its renewal is due", async () => {
    const broker = inMemoryBroker();
    const short = { ...few, leaseSeconds: 300 };
    const held = await broker.issue({ key: session("run-0"), scope: short });
    for (let run = 1; run < 3; run++) await broker.issue({ key: session(`run-${run}`), scope: short });
    broker.clock.jump(0.86 * 300_000 - 60_000);
    const { token, audit } = await broker.ask({ key: session("run-0"), scope: short, minTtlSeconds: 30 });
    expect([token?.leaseId, audit.outcome]).toEqual([held.leaseId, "hit"]);
    broker.clock.jump(60_000);
    const late = await broker.ask({ key: session("run-0"), scope: short, minTtlSeconds: 30 });
    expect([late.token?.leaseId, late.audit.outcome, broker.looker.logins()]).toEqual([
      held.leaseId,
      "hit",
      3,
    ]);
  });

  it("leaves a lease reported stale in its slot while the budget is spent, and refuses the reporter", async () => {
    const broker = await spent();
    broker.clock.jump(11_000);
    const before = await broker.slot(session("run-0"));
    const { code } = await broker.ask({
      ...{ key: session("run-0"), scope: few, staleLeaseId: before.lease?.leaseId },
    });
    expect(code).toBe("too_many_mints");
    expect(await broker.slot(session("run-0"))).toEqual(before);
    expect((await broker.ask({ key: session("run-0"), scope: few })).audit.outcome).toBe("hit");
  });

  it("is asked again under the lock, so one of three sessions at once gets the last login", async () => {
    const broker = inMemoryBroker();
    const one = { ...sales, sessionMintsPerTenMinutes: 1 };
    const answers = await Promise.all(
      ["a", "b", "c"].map((name) => broker.ask({ on: broker.instance(), key: session(name), scope: one })),
    );
    expect(answers.map(({ code }) => code).toSorted()).toEqual(["ok", "too_many_mints", "too_many_mints"]);
    expect(broker.looker.logins()).toBe(1);
    for (const name of ["a", "b", "c"]) expect((await broker.slot(session(name))).mint).toBeUndefined();
  });

  it("gets a login without a token back, and shares its failure with all sessions of the caller", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "unreached", reason: "ECONNREFUSED" });
    expect((await broker.ask({ key: session("a") })).code).toBe("looker_unavailable");
    const { minutes, failures } = await budgetOf(broker);
    expect([minutes, failures]).toEqual([{}, [expect.objectContaining({ code: "looker_unavailable" })]]);
    expect((await broker.slot(session("a"))).failures).toEqual([]);
    const before = writes(broker);
    expect((await broker.ask({ key: session("b") })).code).toBe("looker_unavailable");
    expect([writes(broker), broker.looker.logins()]).toEqual([before, 1]);
    broker.looker.onLogin = undefined;
    broker.clock.jump(1_000);
    expect((await broker.ask({ key: session("b") })).code).toBe("ok");
    expect((await budgetOf(broker)).failures).toEqual([]);
  });

  it("keeps a login that may have left a token", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "unknown", reason: "timeout" });
    await broker.ask({ key: session("a") });
    expect(Object.values((await budgetOf(broker)).minutes)).toEqual([1]);
  });

  it("is charged for a token too short-lived to serve, and tells the other sessions", async () => {
    const broker = inMemoryBroker();
    broker.looker.lifeSeconds = 20;
    expect((await broker.ask({ key: session("a") })).code).toBe("looker_unavailable");
    const { minutes, failures } = await budgetOf(broker);
    expect([Object.values(minutes), failures.length]).toEqual([[1], 1]);
    expect(broker.looker.live.size).toBe(0);
  });

  it("makes no login while it cannot be asked: the lock is given back, and the caller is told to come again", async () => {
    const broker = inMemoryBroker();
    let away = true;
    broker.table.before = (operation, key) => {
      if (away && operation === "write" && key.includes("sessions#")) throw new Unavailable("dynamodb");
    };
    const { code, problem, audit } = await broker.ask({ key: session("a") });
    expect([code, problem?.retryAfterSeconds, audit.reason]).toEqual(["busy", 1, "dynamodb_unavailable"]);
    expect([broker.looker.logins(), (await broker.slot(session("a"))).mint]).toEqual([0, undefined]);
    away = false;
    expect((await broker.ask({ key: session("a") })).code).toBe("ok");
  });

  it.each([
    [
      "cannot be read",
      () => {
        throw new Unavailable("dynamodb");
      },
      "dynamodb_unavailable",
    ],
    ["was edited", undefined, undefined],
  ] as const)("that %s refuses a login, and not a lease due for renewal", async (_, before, reason) => {
    const broker = inMemoryBroker();
    const held = await broker.issue({ key: session("a") });
    broker.clock.jump(0.86 * sales.leaseSeconds * 1_000);
    const { pk, sk } = sessionBudgetKey(callerKey());
    if (before)
      broker.table.before = (operation, key) => {
        if (operation === "read" && key.includes("sessions#")) before();
      };
    else Object.assign(broker.table.items.get(nameOf({ pk, sk })) as object, { minutes: "many" });
    const { token, audit } = await broker.ask({ key: session("a") });
    expect([token?.leaseId, audit.reason, audit.unreadable]).toEqual([
      held.leaseId,
      reason,
      before ? undefined : 1,
    ]);
    expect((await broker.ask({ key: session("b") })).code).toBe("busy");
    expect(broker.looker.logins()).toBe(1);
  });

  it("that may not be written gives the lock back, and the error is told as it is", async () => {
    const broker = inMemoryBroker();
    broker.table.before = (operation, key) => {
      if (operation === "write" && key.includes("sessions#")) throw new Error("AccessDeniedException");
    };
    await expect(broker.ask({ key: session("a") })).rejects.toThrow();
    expect((await broker.slot(session("a"))).mint).toBeUndefined();
  });

  it("that cannot be asked keeps no live lease back, although the lock cannot be given back either", async () => {
    const broker = inMemoryBroker();
    const held = await broker.issue({ key: session("a") });
    broker.clock.jump(0.86 * sales.leaseSeconds * 1_000);
    let isLocked = false;
    broker.table.before = (operation, key) => {
      if (operation !== "write") return;
      if (key.includes("sessions#") || isLocked) throw new Unavailable("dynamodb");
      isLocked = true;
    };
    expect((await broker.issue({ key: session("a") })).leaseId).toBe(held.leaseId);
  });

  it("that becomes unreadable during a login keeps the token back from nobody", async () => {
    const broker = inMemoryBroker();
    await broker.issue();
    broker.looker.onLogin = () => ({ kind: "failed", reason: "status_502" });
    await broker.ask({ key: session("a") });
    broker.looker.onLogin = () => {
      Object.assign(broker.table.items.get(nameOf(sessionBudgetKey(callerKey()))) ?? {}, { schema: 2 });
      return undefined;
    };
    broker.clock.jump(5_000);
    expect((await broker.ask({ key: session("b") })).code).toBe("ok");
  });

  it("costs a count, and no caller its answer, if it cannot be written after a login", async () => {
    const broker = inMemoryBroker();
    broker.looker.onLogin = () => ({ kind: "rejected" });
    let away = false;
    broker.table.before = (operation, key) => {
      if (operation === "write" && key.includes("secret#")) away = true;
      if (away && operation === "write" && key.includes("sessions#")) throw new Unavailable("dynamodb");
    };
    const { code, audit } = await broker.ask({ key: session("a") });
    expect([code, audit.reason]).toEqual(["looker_rejected_credentials", "session_budget_not_recorded"]);
    expect(Object.values((await budgetOf(broker)).minutes)).toEqual([1]);
    expect((await broker.slot(session("a"))).mint).toBeUndefined();
  });
});

describe("a session's lease reported stale", () => {
  it("is ended and replaced, once the login is counted", async () => {
    const broker = inMemoryBroker();
    const first = await broker.issue({ key: session("job") });
    broker.clock.jump(11_000);
    const { token } = await broker.ask({ key: session("job"), staleLeaseId: first.leaseId });
    expect(token?.leaseId).not.toBe(first.leaseId);
    expect((await broker.slot(session("job"))).outbox.map(({ leaseId }) => leaseId)).toEqual([first.leaseId]);
  });

  it("is not served when its row was edited, and is replaced", async () => {
    const broker = inMemoryBroker();
    const first = await broker.issue({ key: session("job") });
    (broker.row(session("job")).lease as { token_sha256: string }).token_sha256 = "f".repeat(64);
    const { token, audit } = await broker.ask({ key: session("job") });
    expect([token?.leaseId === first.leaseId, audit.unreadable]).toEqual([false, 1]);
  });
});

describe("a caller's logout", () => {
  async function holding() {
    const broker = inMemoryBroker();
    const shared = await broker.issue();
    const job = await broker.issue({ key: session("job") });
    const other = await broker.issue({ key: session("other") });
    await broker.issue({ key: callerKey("AROAREPORTSERVICE0001") });
    return { broker, shared, job, other };
  }

  it("without a session ends all leases of the caller, sessions too, and no lease of anybody else", async () => {
    const { broker } = await holding();
    expect(await broker.logOut()).toMatchObject({ revoked: 3, pending: 0 });
    expect(broker.looker.live.size).toBe(1);
  });

  it("of a session ends exactly this session's lease", async () => {
    const { broker, job } = await holding();
    expect(await broker.logOut({ key: session("job") })).toMatchObject({ revoked: 1, pending: 0 });
    expect(broker.looker.logouts()).toEqual([job.accessToken]);
  });

  it("by a lease id alone finds the lease in any session", async () => {
    const { broker, other } = await holding();
    expect(await broker.logOut({ leaseId: other.leaseId })).toMatchObject({ revoked: 1, pending: 0 });
    expect(broker.looker.logouts()).toEqual([other.accessToken]);
  });

  it("by a lease id and another session ends nothing", async () => {
    const { broker, other } = await holding();
    const ended = await broker.logOut({ key: session("job"), leaseId: other.leaseId });
    expect(ended).toMatchObject({ revoked: 0, pending: 0 });
  });

  it("ends all other leases if one row cannot be read, and then promises nothing", async () => {
    const { broker, job } = await holding();
    broker.row(session("job")).schema = 2;
    await expect(broker.logOut()).rejects.toBeInstanceOf(Unreadable);
    expect(broker.looker.live.size).toBe(2);
    expect(broker.looker.live).toContain(job.accessToken);
    await expect(broker.logOut({ key: session("job") })).rejects.toBeInstanceOf(Unreadable);
  });

  it("by a lease id is told as done where another session's row cannot be read", async () => {
    const { broker, shared } = await holding();
    broker.row(session("job")).schema = 2;
    expect(await broker.logOut({ leaseId: shared.leaseId })).toMatchObject({ revoked: 1, pending: 0 });
    await expect(broker.logOut({ leaseId: "somewhere-else-00000" })).rejects.toBeInstanceOf(Unreadable);
  });

  it("goes on where a page ends: forty sessions", async () => {
    const broker = inMemoryBroker();
    for (let run = 0; run < 40; run++) await broker.issue({ key: session(`run-${run}`) });
    expect(await broker.logOut()).toMatchObject({ revoked: 40, pending: 0 });
    expect(broker.looker.live.size).toBe(0);
  });

  it("dooms a session's login under way: its token is ended, and nobody is given it", async () => {
    const broker = inMemoryBroker({ auto: false });
    broker.looker.loginMs = 1_000;
    const beginning = broker.ask({ key: session("job") });
    await broker.clock.advance(500);
    expect(await broker.logOut()).toMatchObject({ revoked: 0, pending: 1 });
    await broker.clock.advance(30_000);
    const { token } = await beginning;
    expect([token?.accessToken, broker.looker.live.size]).toEqual([undefined, 0]);
  });
});
