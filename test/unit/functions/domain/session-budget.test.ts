import { describe, expect, it } from "vitest";
import type { Refusal } from "../../../../functions/domain/failures.ts";
import {
  type EndedLogin,
  isSessionName,
  newSessionBudget,
  type SessionBudget,
  type SpentLogin,
  sessionRefusal,
  settleLogin,
  spendLogin,
} from "../../../../functions/domain/session-budget.ts";

const minute = 60_000;
/** The beginning of a minute. */
const start = 28_333_333 * minute;
const ask = { digest: "one", sessionMintsPerTenMinutes: 3 };

let logins = 0;

function spendAt(
  budget: SessionBudget,
  now: number,
): { budget: SessionBudget; outcome: SpentLogin | Refusal } {
  const { next, outcome } = spendLogin(budget, ask, `owner-${++logins}`, now);
  return { budget: next ?? budget, outcome };
}

function spentAt(...times: number[]): SessionBudget {
  return times.reduce((budget, now) => spendAt(budget, now).budget, newSessionBudget);
}

/** A login of its own, begun at this time. */
const login = (at: number) => ({ owner: `owner-${++logins}`, at });

function settled(
  budget: SessionBudget,
  spent: Pick<SpentLogin, "owner" | "at">,
  ended: EndedLogin,
  now: number,
): SessionBudget {
  return settleLogin(budget, "one", spent, ended, now) ?? budget;
}

describe("the budget of a caller's sessions", () => {
  it("takes as many logins as it has, and then says when the next one may be made", () => {
    const budget = spentAt(start, start, start + minute);
    expect(spendAt(budget, start + 2 * minute)).toEqual({
      budget,
      outcome: { kind: "refuse", code: "too_many_mints", retryAfterMs: 9 * minute },
    });
    expect(sessionRefusal(budget, ask, start + 11 * minute - 1)?.retryAfterMs).toBe(1);
    expect(sessionRefusal(budget, ask, start + 11 * minute)).toBeUndefined();
  });

  it("is not spent twice in any ten minutes: a login counts for ten minutes from the end of its minute", () => {
    const late = start + minute - 1;
    const budget = spentAt(late, late, late);
    for (const after of [0, 5 * minute, 10 * minute])
      expect(sessionRefusal(budget, ask, late + after)).toBeDefined();
    expect(sessionRefusal(budget, ask, late + 10 * minute + 1)).toBeUndefined();
  });

  it("waits, where it was lowered, until enough logins are out of the count", () => {
    const budget = spentAt(start, start + minute, start + 2 * minute);
    const lowered = { ...ask, sessionMintsPerTenMinutes: 1 };
    expect(sessionRefusal(budget, lowered, start + 3 * minute)?.retryAfterMs).toBe(10 * minute);
  });

  it("counts a login of an instance whose clock is ahead", () => {
    const budget = spentAt(start + 5_000, start + 5_000, start + 5_000);
    expect(sessionRefusal(budget, ask, start - 1)?.code).toBe("too_many_mints");
  });

  it("keeps only the counters of the last minutes, so the row stays small", () => {
    const times = Array.from({ length: 30 }, (_, index) => start + index * 4 * minute);
    expect(Object.keys(spentAt(...times).minutes).length).toBeLessThanOrEqual(3);
  });

  it("gets the count of a login back if certainly no token was left", () => {
    const budget = spentAt(start, start, start);
    const after = settled(budget, login(start), { noTokenLeft: true }, start + 5_000);
    expect(after.minutes).toEqual({ [start / minute]: 2 });
    expect(sessionRefusal(after, ask, start + 5_000)).toBeUndefined();
  });

  it("drops an empty counter, and gives no login back after it has left the count", () => {
    const once = spentAt(start);
    expect(settled(once, login(start), { noTokenLeft: true }, start).minutes).toEqual({});
    const later = spentAt(start, start + 12 * minute);
    const after = settled(later, login(start), { noTokenLeft: true }, start + 12 * minute);
    expect(after.minutes).toEqual({ [start / minute + 12]: 1 });
  });

  it("keeps the count of a login that may have left a token", () => {
    const budget = spentAt(start);
    const failure = { code: "looker_unavailable" } as const;
    expect(settled(budget, login(start), { failure, noTokenLeft: false }, start).minutes).toEqual(
      budget.minutes,
    );
  });
});

describe("a failed login of a session", () => {
  const failure = { code: "looker_unavailable", detail: "away" } as const;
  const failed = (budget: SessionBudget, at: number) =>
    settled(budget, login(at), { failure, noTokenLeft: true }, at);

  it("backs off for all sessions of the caller, under any name, and longer each time", () => {
    let budget = failed(spentAt(start), start);
    expect(spendAt(budget, start + 999).outcome).toEqual({
      ...{ kind: "refuse", code: "looker_unavailable", detail: "away", retryAfterMs: 1 },
    });
    budget = spendAt(budget, start + 1_000).budget;
    budget = failed(budget, start + 1_000);
    expect(sessionRefusal(budget, ask, start + 2_999)).toBeDefined();
    expect(sessionRefusal(budget, ask, start + 3_000)).toBeUndefined();
  });

  it("refuses nothing of another configuration", () => {
    const budget = failed(spentAt(start), start);
    expect(sessionRefusal(budget, { ...ask, digest: "two" }, start)).toBeUndefined();
  });

  it("is forgotten by a success", () => {
    const budget = failed(spentAt(start), start);
    const again = spendAt(budget, start + 1_000);
    expect(again.outcome).toMatchObject({ kind: "spent", at: start + 1_000, failedBefore: true });
    expect(settled(again.budget, login(start), { noTokenLeft: false }, start + 1_000).failures).toEqual([]);
  });
});

describe("the name of a session", () => {
  it.each(["a", "A9", "nightly-report_2.1", "x".repeat(64)])("may be %s", (name) => {
    expect(isSessionName(name)).toBe(true);
  });
  it.each(["", "-a", ".a", "_a", "a#b", "a b", "a/b", "a~", "x".repeat(65), "a\n", "é"])(
    "may not be %j",
    (name) => {
      expect(isSessionName(name)).toBe(false);
    },
  );
});

describe("a budget of none", () => {
  it("refuses every session, and says when to ask again", () => {
    const none = { ...ask, sessionMintsPerTenMinutes: 0 };
    expect(sessionRefusal(newSessionBudget, none, start)).toMatchObject({
      ...{ kind: "refuse", code: "too_many_mints" },
      retryAfterMs: 11 * minute,
    });
  });
});

it("a login notes an earlier failure of its own configuration, and of no other", () => {
  const noted = (digests: readonly string[]) => {
    const failures = digests.map((digest) => ({
      ...{ digest, code: "busy", at: start, until: start, count: 1 },
    })) as SessionBudget["failures"];
    return spendAt({ ...newSessionBudget, failures }, start).outcome;
  };
  expect(noted([])).toMatchObject({ failedBefore: false });
  expect(noted(["two"])).toMatchObject({ failedBefore: false });
  expect(noted(["two", "one"])).toMatchObject({ failedBefore: true });
});

describe("what is on record of sessions' logins", () => {
  const failure = { code: "looker_unavailable" } as const;
  const settle = (budget: SessionBudget, owner: string, at: number, now = at) =>
    settleLogin(budget, "one", { owner, at }, { failure, noTokenLeft: true }, now) ?? budget;

  it("begins empty", () => {
    expect(newSessionBudget).toEqual({ version: 0, minutes: {}, failures: [], probes: {}, settled: [] });
  });

  it("keeps the latest sixteen ends", () => {
    const owners = Array.from({ length: 20 }, (_, index) => `owner-${index}`);
    const budget = owners.reduce((row, owner) => settle(row, owner, start), newSessionBudget);
    expect(budget.settled).toEqual(owners.slice(-16));
  });

  it("counts a login begun at the moment of a failure together with it", () => {
    const once = settle(newSessionBudget, "owner-1", start, start + 500);
    expect(settle(once, "owner-2", start + 500, start + 900).failures).toEqual(once.failures);
    expect(settle(once, "owner-2", start + 501, start + 900).failures).toMatchObject([{ count: 2 }]);
  });

  it("tells another configuration's later failure apart", () => {
    const at = start + 1_000;
    const other = { digest: "two", code: "busy", at, until: at, count: 1 } as const;
    const failures = settle({ ...newSessionBudget, failures: [other] }, "owner-1", start).failures;
    expect(failures.map(({ digest }) => digest)).toEqual(["two", "one"]);
  });

  it("lets another session try from the end of the trial on", () => {
    const budget = { ...newSessionBudget, probes: { one: start } };
    expect(sessionRefusal(budget, ask, start - 1)?.code).toBe("busy");
    expect(sessionRefusal(budget, ask, start)).toBeUndefined();
  });
});
