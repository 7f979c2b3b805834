/**
 * The logins of a caller's sessions, against the budget that all of them share.
 *
 *   budget read: spent or backing off? then nothing is written ──▶ the session's lock ──▶ one login spent ──▶ mint ──▶ settled
 */

import { failureRefusal, type Refusal } from "../domain/failures.ts";
import { configurationDigest } from "../domain/lease.ts";
import type { Scope } from "../domain/scope.ts";
import {
  type EndedLogin,
  type SessionAsk,
  type SpentLogin,
  sessionRefusal,
  settleLogin,
  spendLogin,
} from "../domain/session-budget.ts";
import { commit } from "./commit.ts";
import type { MintJob, MintPorts } from "./mint-job.ts";
import { type CallerKey, Unavailable } from "./ports.ts";

interface SessionRequest {
  readonly scope: Scope;
  readonly key: CallerKey;
  readonly deadline: number;
}

const askOf = (scope: Scope): SessionAsk => ({
  digest: configurationDigest(scope),
  sessionMintsPerTenMinutes: scope.sessionMintsPerTenMinutes,
});

/** Why no session of the caller may log in now, if so. */
export async function refusalOfSessions(
  { table, clock }: MintPorts,
  { scope, key }: SessionRequest,
): Promise<Refusal | undefined> {
  return sessionRefusal(await table.sessionBudgets.read(key), askOf(scope), clock.now());
}

/** Counts one login of a session that has its lock. @throws {Unavailable} when it may be counted or not */
export async function spendOnSession(
  ports: MintPorts,
  { scope, key, deadline }: SessionRequest,
): Promise<SpentLogin | Refusal> {
  const spend = { ...ports, deadline };
  return await commit(
    ports.table.sessionBudgets,
    key,
    (row, now) => spendLogin(row, askOf(scope), now),
    spend,
  );
}

/**
 * Records how a session's login ended. Nothing hangs on it but the count and the back-off: where it cannot be written, the
 * count stays spent, and another session tries for itself.
 * @returns after a failure, what all sessions of the caller are told until its back-off is over
 */
export async function settleSession(
  ports: MintPorts,
  { session, key, scope, deadline, audit }: MintJob,
  ended: EndedLogin,
): Promise<Refusal | undefined> {
  if (!session) return undefined;
  const { spent } = session;
  const { failure } = ended;
  if (!failure && !ended.noTokenLeft && !spent.failedBefore) return undefined;
  const digest = configurationDigest(scope);
  try {
    return await commit(
      ports.table.sessionBudgets,
      key,
      (row, now) => {
        const next = settleLogin(row, digest, spent, ended, now);
        return { next, outcome: failureRefusal(next.failures, digest, now) };
      },
      { ...ports, deadline },
    );
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    audit.reason = "session_budget_not_recorded";
    return failure && { kind: "refuse", code: failure.code, detail: failure.detail, retryAfterMs: 1_000 };
  }
}
