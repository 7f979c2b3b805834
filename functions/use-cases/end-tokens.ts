/** Ends fenced tokens at Looker by `/logout`, and counts as revoked only the tokens confirmed dead by Looker. */

import { nextLogoutAt, type OutboxToken } from "../domain/lease.ts";
import { settle } from "../domain/slot-revoke.ts";
import { commit } from "./commit.ts";
import { forEachParallel } from "./pool.ts";
import {
  type Clock,
  type Ids,
  type LogoutOutcome,
  type Looker,
  type Sealer,
  type SlotKey,
  type SlotTable,
  sealIdentity,
  Unavailable,
  Unreadable,
} from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

export interface LogOutPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly table: SlotTable;
  readonly sealer: Sealer;
  readonly looker: Looker;
}

/** Logouts under way at once, of one request. */
const parallelLogouts = 4;
/** One logout and the check behind it take this long at most. No logout begins with less time left. */
export const logoutNeedsMs = 9_000;

export function timeForLogout(clock: Pick<Clock, "now">, deadline: number): boolean {
  return clock.now() + logoutNeedsMs <= deadline;
}

/** The results of logouts. */
export interface LogoutCounts {
  /** Confirmed dead by Looker. */
  revoked: number;
  /** Not served any more, and not confirmed yet. Tried again until Looker confirms the end, or until Looker's own expiry. */
  pending: number;
}

/** Limits for all logouts of one invocation, because the same Looker also serves people. */
export interface LogoutLimits {
  /** Runs one logout when its turn comes. If no turn comes, the outcome is `not_tried`. */
  run(
    token: Pick<OutboxToken, "baseUrl" | "clientId" | "attempts">,
    logout: () => Promise<LogoutOutcome>,
  ): Promise<LogoutOutcome>;
}

/** For a caller's own few tokens. */
const noLimits: LogoutLimits = { run: (_, logout) => logout() };

export interface EndedTokens extends LogoutCounts {
  /** The oldest age of a pending token at its next try. An alarm on the age now would wait for that try. */
  oldestPendingMs: number;
}

/** Logs out tokens that are in the slot's outbox already, and records the results. */
export async function endTokens(
  ports: LogOutPorts,
  job: { key: SlotKey; deadline: number; audit: AuditFields },
  tokens: readonly OutboxToken[],
  { parallel = parallelLogouts, limits = noLimits }: { parallel?: number; limits?: LogoutLimits } = {},
): Promise<EndedTokens> {
  const results = new Map<string, "ended" | "unconfirmed">();
  try {
    await forEachParallel(tokens, parallel, async (token) => {
      if (!timeForLogout(ports.clock, job.deadline)) return;
      const result = await endToken(ports, job, token, limits);
      if (result !== "not_tried") results.set(token.leaseId, result === "ended" ? "ended" : "unconfirmed");
      if (result === "ended") noteEnd(job, token);
    });
  } finally {
    // Also when a logout has failed, because Looker's confirmations of the others are true all the same.
    if (results.size > 0)
      await commit(ports.table.slots, job.key, (slot, now) => settle(slot, results, now), {
        ...ports,
        deadline: job.deadline,
      }).catch((error: unknown) => {
        // Looker's word stands. The row still lists the token, and its next logout finds it dead.
        if (!(error instanceof Unavailable)) throw error;
      });
  }
  const left = tokens.filter(({ leaseId }) => results.get(leaseId) !== "ended");
  const now = ports.clock.now();
  const waits = left.map(({ since, attempts, leaseId }) =>
    results.has(leaseId) ? nextLogoutAt(attempts, now) - since : now - since,
  );
  return {
    revoked: tokens.length - left.length,
    pending: left.length,
    oldestPendingMs: Math.max(0, ...waits),
  };
}

async function endToken(
  { sealer, looker }: LogOutPorts,
  { key, audit }: { key: SlotKey; audit: AuditFields },
  token: OutboxToken,
  limits: LogoutLimits,
): Promise<LogoutOutcome> {
  try {
    const clear = await sealer.unseal(token.sealed, sealIdentity(key, token));
    return await limits.run(token, () => looker.logout(token.baseUrl, clear));
  } catch (error) {
    // An edited row is sent nowhere: its base_url may be an attacker's.
    if (error instanceof Unreadable) count(audit, "unreadable");
    // KMS away, or a key or a permission gone: the fence stands, and pending is the truth. The record says why.
    else audit.reason = error instanceof Unavailable ? error.reason : "unseal_failed";
    return "unconfirmed";
  }
}

/** Notes a confirmed end. */
export function noteEnd(
  { key, audit }: { key: SlotKey; audit: AuditFields },
  token: Pick<OutboxToken, "leaseId" | "clientId">,
): void {
  count(audit, "logouts");
  audit.lease_ends ??= [];
  audit.lease_ends.push({
    scope: key.scope,
    account: key.account,
    unique_id: key.uniqueId,
    ...(key.session !== undefined && { session: key.session }),
    lease_id: token.leaseId,
    client_id: token.clientId,
  });
}
