/**
 * The logins of a caller's sessions, against the budget shared by all of them.
 *
 *   budget read: spent or backing off? then nothing is written ──▶ the session's lock ──▶ one login spent ──▶ mint ──▶ settled
 */

import { failureRefusal, type Refusal } from "../domain/failures.ts";
import { configurationDigest } from "../domain/lease.ts";
import type { Scope } from "../domain/scope.ts";
import {
  type EndedLogin,
  type SessionAsk,
  type SessionBudget,
  type SpentLogin,
  sessionRefusal,
  settleLogin,
  spendLogin,
} from "../domain/session-budget.ts";
import { commit } from "./commit.ts";
import type { MintJob, MintPorts } from "./mint-job.ts";
import { type CallerKey, Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

interface SessionRequest {
  readonly scope: Scope;
  readonly key: CallerKey;
  readonly deadline: number;
  readonly audit: AuditFields;
}

const askOf = (scope: Scope): SessionAsk => ({
  digest: configurationDigest(scope),
  sessionMintsPerTenMinutes: scope.sessionMintsPerTenMinutes,
});

/** The budget as it is, or the refusal, while no session of the caller may log in. Writes nothing. */
export async function readBudget(
  { table, clock }: MintPorts,
  { scope, key, audit }: SessionRequest,
): Promise<{ kind?: never; budget: SessionBudget } | Refusal> {
  return await orRefuse(audit, async () => {
    const budget = await table.sessionBudgets.read(key);
    return sessionRefusal(budget, askOf(scope), clock.now()) ?? { budget };
  });
}

/** A hundred jobs that begin at once count one after the other. It leaves the lock time for a login. */
const longestSpendMs = 4_000;

/** Counts one login of a session under its lock. */
export async function spendOnSession(
  ports: MintPorts,
  { scope, key, audit }: SessionRequest,
  owner: string,
  start: SessionBudget,
): Promise<SpentLogin | Refusal> {
  const spend = (row: SessionBudget, now: number) => spendLogin(row, askOf(scope), owner, now);
  return await orRefuse(audit, () =>
    commit<CallerKey, SessionBudget, SpentLogin | Refusal>(ports.table.sessionBudgets, key, spend, {
      ...ports,
      start,
      deadline: ports.clock.now() + longestSpendMs,
      mustLand: true,
    }),
  );
}

/** A login begins only if it can be counted. After this refusal a lease that is still good is served all the same. */
async function orRefuse<Answer>(audit: AuditFields, ask: () => Promise<Answer>): Promise<Answer | Refusal> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Unreadable) count(audit, "unreadable");
    else if (error instanceof Unavailable) audit.reason = error.reason;
    else throw error;
    return { kind: "refuse", code: "busy", retryAfterMs: 1_000 };
  }
}

/**
 * Records how a session's login ended. Only the count and the back-off depend on this record. If it cannot be written, the
 * count stays spent, and another session tries for itself.
 * @returns after a failure, the refusal for all sessions of the caller until the back-off is over
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
        return { next, outcome: failureRefusal((next ?? row).failures, digest, now) };
      },
      { ...ports, deadline },
    );
  } catch (error) {
    if (!(error instanceof Unavailable || error instanceof Unreadable)) throw error;
    audit.reason = "session_budget_not_recorded";
    return failure && { kind: "refuse", code: failure.code, detail: failure.detail, retryAfterMs: 1_000 };
  }
}
