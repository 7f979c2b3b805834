/**
 * The sweeper: whatever is due is carried on. It needs no scope configuration (rows carry what it needs), so a removed
 * scope's leases still end. Safe twice, concurrently, or not at all for an hour.
 */

import { clockSkewMs, type OutboxToken } from "../domain/lease.ts";
import { moveToOutbox, prune, type Slot, type Step } from "../domain/slot.ts";
import { commit } from "./commit.ts";
import { withCircuit, withHostLimit } from "./host-limits.ts";
import { endTokens, type LogoutCounts, timeForLogout } from "./log-out.ts";
import { forEachParallel } from "./pool.ts";
import { Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";
import { type FencedSlot, type OperatePorts, parallelSlots, runJob } from "./revoke-slots.ts";

export async function sweep(
  ports: OperatePorts,
  job: { deadline: number; audit: AuditFields },
): Promise<LogoutCounts> {
  const { table, clock } = ports;
  const { audit, deadline } = job;
  const result: LogoutCounts = { revoked: 0, pending: 0 };
  const guarded = {
    ...ports,
    looker: withHostLimit(withCircuit(ports.looker), () => timeForLogout(clock, deadline)),
  };
  /** One row that cannot be read or written, for whatever reason, must not keep the others from being swept. */
  const apart = async (work: () => Promise<void>) => {
    if (clock.now() >= deadline) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof Unavailable) audit.reason = error.reason;
      else if (error instanceof Unreadable) count(audit, "unreadable");
      else audit.reason = "row_failed";
    }
  };
  audit.oldest_pending_ms = 0;
  const add = (revoked: number, pending: number, oldest: number) => {
    result.revoked += revoked;
    result.pending += pending;
    if (pending > 0) audit.oldest_pending_ms = Math.max(audit.oldest_pending_ms ?? 0, clock.now() - oldest);
  };

  const due = await table.queryDue(clock.now());
  audit.sweep_lag_ms = due.reduce((most, { dueAt }) => Math.max(most, clock.now() - dueAt), 0);
  const slots = due.flatMap((row) => (row.kind === "slot" ? [row.key] : []));
  const scopes = due.flatMap((row) => (row.kind === "scope" ? [row.scope] : []));
  const hosts = new Map<string, FencedSlot[]>();
  await forEachParallel(slots, parallelSlots, (name) =>
    apart(async () => {
      // The ARN is only needed to make a row, and this one is there: an index entry of a deleted row writes nothing.
      const key = { ...name, callerArn: "" };
      const swept = await commit(table.slots, key, sweepSlot, { ...ports, deadline });
      count(audit, "slots");
      count(audit, "expired", swept.expired);
      if (swept.possibleOrphan) count(audit, "possible_orphans");
      for (const [host, tokens] of Map.groupBy(swept.due, ({ baseUrl }) => baseUrl))
        if (!hosts.get(host)?.push({ key, tokens })) hosts.set(host, [{ key, tokens }]);
    }),
  );
  // Each host by itself, and each job: a Looker that is slow or gone takes nobody else's turn.
  await Promise.all([
    ...[...hosts.values()].map((rows) =>
      forEachParallel(rows, parallelSlots, ({ key, tokens }) =>
        apart(async () => {
          const ended = await endTokens(guarded, { key, deadline, audit }, tokens, 1);
          add(ended.revoked, ended.pending, ended.oldestPending);
        }),
      ),
    ),
    ...scopes.map((scope) =>
      apart(async () => {
        const { job: pending } = await table.scopeControls.read(scope);
        if (!pending) return;
        const done = await runJob(guarded, scope, pending, job);
        add(done.revoked, done.pending, pending.at);
      }),
    ),
  ]);
  Object.assign(audit, { outcome: "swept", ...result });
  return result;
}

export interface SweptSlot {
  readonly due: readonly OutboxToken[];
  readonly expired: number;
  readonly possibleOrphan: boolean;
}

/** Ended leases go to the outbox, expired tokens and locks that ran out go away, and what is due is named. */
export function sweepSlot(slot: Slot, now: number): Step<Slot, SweptSlot> {
  const pruned = prune(slot, now);
  const tokensIn = ({ lease, superseded, outbox }: Slot) =>
    (lease ? 1 : 0) + superseded.length + outbox.length;
  const expired = tokensIn(slot) - tokensIn(pruned);
  const { slot: swept, moved } = moveToOutbox(pruned, (token) => token.endsAt <= now, now);
  // Cleared, not doomed: its late owner finds that the lock is not its own any more.
  const possibleOrphan = slot.mint !== undefined && now >= slot.mint.until + clockSkewMs;
  const due = swept.outbox.filter((token) => token.retryAt <= now);
  const outcome: SweptSlot = { due, expired, possibleOrphan };
  if (moved === 0 && expired === 0 && !possibleOrphan) return { outcome };
  return { next: { ...swept, mint: possibleOrphan ? undefined : swept.mint }, outcome };
}
