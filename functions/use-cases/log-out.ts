/**
 * Ending tokens at Looker, and a caller's own logout. First the fence (nothing is served any more), then `/logout`, then
 * the truth about what is confirmed.
 */

import type { OutboxToken } from "../domain/lease.ts";
import { type RevocationFilter, revoke, settle } from "../domain/slot.ts";
import { commit } from "./commit.ts";
import { forEachParallel } from "./pool.ts";
import {
  type CallerSlotKey,
  type Clock,
  type Ids,
  type Looker,
  type Sealer,
  type SlotKey,
  type SlotTable,
  sealIdentity,
  Unavailable,
  Unreadable,
} from "./ports.ts";
import { type AuditFields, count, noteNamed } from "./record.ts";

export interface LogOutPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly table: SlotTable;
  readonly sealer: Sealer;
  readonly looker: Looker;
}

/** Logouts under way at once, of one request. */
const parallelLogouts = 4;
/** One logout and the check behind it take this long at most; none is begun with less time left. */
const logoutNeedsMs = 9_000;

export function timeForLogout(clock: Pick<Clock, "now">, deadline: number): boolean {
  return clock.now() + logoutNeedsMs <= deadline;
}

/** What came of logouts. */
export interface LogoutCounts {
  /** Confirmed dead by Looker. */
  revoked: number;
  /** Not served any more, not confirmed yet: tried again until it is, or until Looker's own expiry. */
  pending: number;
}

export interface EndedTokens extends LogoutCounts {
  /** Since when the oldest of the pending ones is to be dead. */
  oldestPending: number;
}

/** A caller ends its own leases: one of them, or all. */
export async function logOut(
  ports: LogOutPorts,
  job: {
    key: CallerSlotKey;
    leaseId?: string | undefined;
    deadline: number;
    audit: AuditFields;
  },
): Promise<LogoutCounts> {
  const filter: RevocationFilter = { leaseId: job.leaseId };
  noteNamed(job.audit, "lease_id", job.leaseId);
  const revocation = await commit(ports.table.slots, job.key, (slot, now) => revoke(slot, filter, now), {
    ...ports,
    deadline: job.deadline,
  });
  if (revocation.possibleOrphan) count(job.audit, "possible_orphans");
  const ended = await endTokens(ports, job, revocation.tokens);
  const pending = ended.pending + (revocation.doomed ? 1 : 0);
  Object.assign(job.audit, { outcome: "revoked", revoked: ended.revoked, pending });
  return { revoked: ended.revoked, pending };
}

/** Logs out tokens that are in the slot's outbox already, and records what came of it. */
export async function endTokens(
  ports: LogOutPorts,
  job: { key: CallerSlotKey; deadline: number; audit: AuditFields },
  tokens: readonly OutboxToken[],
  parallel = parallelLogouts,
): Promise<EndedTokens> {
  const results = new Map<string, "ended" | "unconfirmed">();
  try {
    await forEachParallel(tokens, parallel, async (token) => {
      if (!timeForLogout(ports.clock, job.deadline)) return;
      const result = await endToken(ports, job, token);
      if (result !== "not_tried") results.set(token.leaseId, result);
      if (result === "ended") noteEnd(job, token);
    });
  } finally {
    // Also when one failed: what Looker confirmed of the others is true all the same.
    if (results.size > 0)
      await commit(ports.table.slots, job.key, (slot, now) => settle(slot, results, now), {
        ...ports,
        deadline: job.deadline,
      }).catch((error: unknown) => {
        // Looker's word stands; the row still lists the token, and its next logout finds it dead.
        if (!(error instanceof Unavailable)) throw error;
      });
  }
  const left = tokens.filter(({ leaseId }) => results.get(leaseId) !== "ended");
  const oldestPending = left.reduce((oldest, { since }) => Math.min(oldest, since), Number.POSITIVE_INFINITY);
  return { revoked: tokens.length - left.length, pending: left.length, oldestPending };
}

async function endToken(
  { sealer, looker }: LogOutPorts,
  { key, audit }: { key: SlotKey; audit: AuditFields },
  token: OutboxToken,
): Promise<"ended" | "unconfirmed" | "not_tried"> {
  try {
    const clear = await sealer.unseal(token.sealed, sealIdentity(key, token));
    return await looker.logout(token.baseUrl, clear);
  } catch (error) {
    // An edited row is sent nowhere: its base_url may be an attacker's.
    if (error instanceof Unreadable) count(audit, "unreadable");
    // KMS away, or a key or a permission gone: the fence stands, and pending is the truth. The record says why.
    else audit.reason = error instanceof Unavailable ? error.reason : "unseal_failed";
    return "unconfirmed";
  }
}

function noteEnd({ key, audit }: { key: SlotKey; audit: AuditFields }, token: OutboxToken): void {
  count(audit, "logouts");
  audit.lease_ends ??= [];
  audit.lease_ends.push({
    scope: key.scope,
    account: key.account,
    unique_id: key.uniqueId,
    lease_id: token.leaseId,
    client_id: token.clientId,
  });
}
