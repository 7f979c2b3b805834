/**
 * The logins of all sessions of one caller in one scope, counted by the minute. A session's slot counts no logins, so a
 * job with a fresh name each time meets the same bound and the same back-off.
 */
import type { Versioned } from "./control.ts";
import {
  addFailure,
  type Failure,
  failureRefusal,
  type MintFailure,
  type Refusal,
  withoutFailure,
} from "./failures.ts";
import { lockMs, type Step } from "./slot.ts";

/** One counter for each minute keeps the row small, even with a large budget. */
const minuteMs = 60_000;
/** Ten whole minutes and the current one, so no ten minutes see more logins than the budget. */
const minutesKept = 11;

/** The allowed form of a session's name. */
export const isSessionName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);

export interface SessionBudget extends Versioned {
  /** Logins begun, by the minute since the epoch. */
  readonly minutes: Readonly<Record<string, number>>;
  /** At most one of each configuration. */
  readonly failures: readonly Failure[];
  /** By configuration: until when one session tries for all of them, after a failure. */
  readonly probes: Readonly<Record<string, number>>;
  /** Logins whose end is recorded, the latest last: a record whose answer was lost is not written twice. */
  readonly settled: readonly string[];
}

export const newSessionBudget: SessionBudget = {
  ...{ version: 0, minutes: {}, failures: [], probes: {}, settled: [] },
};

/** Fewer logins than this end while one write is tried again. */
const settledKept = 16;

export interface SessionAsk {
  readonly digest: string;
  readonly sessionMintsPerTenMinutes: number;
}

/** The refusal, while no session of the caller may log in. Writes nothing. */
export function sessionRefusal(budget: SessionBudget, ask: SessionAsk, now: number): Refusal | undefined {
  const failed = failureRefusal(budget.failures, ask.digest, now);
  if (failed) return failed;
  // All refused sessions come back at once.
  if ((budget.probes[ask.digest] ?? 0) > now) return { kind: "refuse", code: "busy", retryAfterMs: 1_000 };
  // In their order, as an object keeps whole numbers.
  const minutes = Object.entries(recent(budget, now));
  let over = minutes.reduce((sum, [, logins]) => sum + logins, 0) - ask.sessionMintsPerTenMinutes;
  if (over < 0) return undefined;
  // The budget is free again once enough minutes have gone by and fewer logins than the budget remain.
  const freed = minutes.find(([, logins]) => {
    over -= logins;
    return over < 0;
  });
  const freeAt = (Number(freed?.[0] ?? minuteOf(now)) + minutesKept) * minuteMs;
  return { kind: "refuse", code: "too_many_mints", retryAfterMs: freeAt - now };
}

/** A login that was counted. */
export interface SpentLogin {
  readonly kind: "spent";
  /** The owner of the login's lock. */
  readonly owner: string;
  readonly at: number;
  /** An earlier failure of the configuration is on record: a success clears it. */
  readonly failedBefore: boolean;
}

/** Counts one login, or refuses it. After a failure one login tries for all sessions, for as long as a lock lasts. */
export function spendLogin(
  budget: SessionBudget,
  ask: SessionAsk,
  owner: string,
  now: number,
): Step<SessionBudget, SpentLogin | Refusal> {
  const refusal = sessionRefusal(budget, ask, now);
  if (refusal) return { outcome: refusal };
  const minute = minuteOf(now);
  const minutes = recent(budget, now);
  const failedBefore = budget.failures.some(({ digest }) => digest === ask.digest);
  return {
    next: {
      ...budget,
      minutes: { ...minutes, [minute]: (minutes[minute] ?? 0) + 1 },
      probes: failedBefore ? { ...budget.probes, [ask.digest]: now + lockMs } : budget.probes,
    },
    outcome: { kind: "spent", owner, at: now, failedBefore },
  };
}

/** How a counted login ended. */
export interface EndedLogin {
  readonly failure?: MintFailure | undefined;
  /** Certainly no token was left behind: the count is given back. */
  readonly noTokenLeft: boolean;
}

/**
 * Records how a counted login ended. A failure is shared with the caller's other sessions. Logins under way together have
 * failed once. A success clears the failure. Returns undefined if the end is on record already.
 */
export function settleLogin(
  budget: SessionBudget,
  digest: string,
  { owner, at }: Pick<SpentLogin, "owner" | "at">,
  { failure, noTokenLeft }: EndedLogin,
  now: number,
): SessionBudget | undefined {
  if (budget.settled.includes(owner)) return undefined;
  const minutes = recent(budget, now);
  const minute = minuteOf(at);
  const left = (minutes[minute] ?? 0) - (noTokenLeft ? 1 : 0);
  const { [digest]: _, ...probes } = budget.probes;
  return {
    ...budget,
    minutes: Object.fromEntries(
      Object.entries({ ...minutes, [minute]: left }).filter(
        ([each, logins]) => each in minutes && logins > 0,
      ),
    ),
    failures: failuresAfter(budget.failures, digest, at, { failure, noTokenLeft }, now),
    probes,
    settled: [...budget.settled, owner].slice(-settledKept),
  };
}

function failuresAfter(
  failures: readonly Failure[],
  digest: string,
  at: number,
  { failure, noTokenLeft }: EndedLogin,
  now: number,
): readonly Failure[] {
  if (failure) {
    const last = failures.find((each) => each.digest === digest);
    return last && last.at >= at ? failures : addFailure(failures, digest, failure, now);
  }
  // Nothing was tried, so nothing is known: a freeze came between.
  return noTokenLeft ? failures : withoutFailure(failures, digest);
}

const minuteOf = (now: number): string => String(Math.floor(now / minuteMs));

/** The counters of the last minutes. By another instance's clock a counter may lie ahead. It counts too. */
function recent({ minutes }: SessionBudget, now: number): Record<string, number> {
  const oldest = Math.floor(now / minuteMs) - minutesKept + 1;
  return Object.fromEntries(Object.entries(minutes).filter(([minute]) => Number(minute) >= oldest));
}
