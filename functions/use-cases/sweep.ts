/**
 * The sweeper: whatever is due is carried on. It needs no scope configuration (rows carry what it needs), so a removed
 * scope's leases still end. Safe twice, concurrently, or not at all for an hour.
 *
 *   index, page by page ──▶ each row is read again and swept ──▶ a queue for each host ──▶ logouts
 *                      └──▶ each scope's job
 */
import { clockSkewMs, type OutboxToken } from "../domain/lease.ts";
import { prune, type Slot, type Step } from "../domain/slot.ts";
import { moveToOutbox } from "../domain/slot-revoke.ts";
import { commit } from "./commit.ts";
import { endTokens, type LogoutCounts, type LogoutLimits } from "./end-tokens.ts";
import { type FairQueue, fairQueue, type Queued } from "./fair-queue.ts";
import { forEachParallel } from "./pool.ts";
import { type DueRow, type SlotKey, Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";
import { type FencedSlot, limitsUntil, type OperatePorts, parallelSlots, runJob } from "./revoke-slots.ts";

interface SweepJob {
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** Tokens of one slot and one account: what is settled by one write. */
interface DueTokens extends FencedSlot, Queued {}

export async function sweep(ports: OperatePorts, job: SweepJob): Promise<LogoutCounts> {
  const run = new Sweep(ports, job);
  await run.toItsEnd();
  const { revoked, pending } = run;
  Object.assign(job.audit, { outcome: "swept", revoked, pending });
  return { revoked, pending };
}

class Sweep implements LogoutCounts {
  /** Tokens whose end Looker confirmed, and those that were due and could not be ended. */
  revoked = 0;
  pending = 0;
  private readonly ports: OperatePorts;
  private readonly job: SweepJob;
  private readonly limits: LogoutLimits;
  /** By host, so that a Looker that is slow or gone takes nobody else's turn. */
  private readonly queues = new Map<string, FairQueue<DueTokens>>();
  private readonly underWay: Promise<void>[] = [];

  constructor(ports: OperatePorts, job: SweepJob) {
    this.ports = ports;
    this.job = job;
    this.limits = limitsUntil(ports, job.deadline);
  }

  async toItsEnd(): Promise<void> {
    const { audit } = this.job;
    audit.oldest_pending_ms = 0;
    audit.sweep_lag_ms = 0;
    try {
      await forEachParallel(this.dueRows(), parallelSlots, (row) => this.apart(() => this.carryOn(row)));
    } finally {
      for (const queue of this.queues.values()) queue.close();
      await Promise.allSettled(this.underWay);
    }
    await Promise.all(this.underWay);
  }

  private async *dueRows(): AsyncGenerator<DueRow> {
    const { clock, table } = this.ports;
    const { audit } = this.job;
    const beganAt = clock.now();
    for await (const page of table.queryDue(beganAt))
      for (const row of page) {
        audit.sweep_lag_ms = Math.max(audit.sweep_lag_ms ?? 0, beganAt - row.dueAt);
        yield row;
      }
  }

  /** One row that cannot be read or written, for whatever reason, must not keep the others from being swept. */
  private async apart(work: () => Promise<void>): Promise<void> {
    const { audit, deadline } = this.job;
    if (this.ports.clock.now() >= deadline) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof Unavailable) audit.reason = error.reason;
      else if (error instanceof Unreadable) count(audit, "unreadable");
      else audit.reason = "row_failed";
    }
  }

  private async carryOn(row: DueRow): Promise<void> {
    // A job goes on beside the slots: it is not waited for before the next row.
    if (row.kind === "scope") this.underWay.push(this.apart(() => this.carryJobOn(row.scope)));
    else await this.sweepRow(row.key);
  }

  private async carryJobOn(scope: string): Promise<void> {
    const { job } = await this.ports.table.scopeControls.read(scope);
    if (!job) return;
    const { revoked, pending } = await runJob(this.ports, scope, job, this.job, this.limits);
    this.add({ revoked, pending, oldestPendingMs: this.ports.clock.now() - job.at });
  }

  private async sweepRow(key: SlotKey): Promise<void> {
    const { audit, deadline } = this.job;
    const swept = await commit(this.ports.table.slots, key, sweepSlot, { ...this.ports, deadline });
    count(audit, "slots");
    count(audit, "expired", swept.expired);
    if (swept.possibleOrphan) count(audit, "possible_orphans");
    for (const [host, atHost] of Map.groupBy(swept.due, ({ baseUrl }) => baseUrl))
      for (const [account, tokens] of Map.groupBy(atHost, ({ clientId }) => clientId)) {
        const attempts = Math.min(...tokens.map((token) => token.attempts));
        this.queueOf(host).push({ key, tokens, account, attempts });
      }
  }

  private queueOf(host: string): FairQueue<DueTokens> {
    const known = this.queues.get(host);
    if (known) return known;
    const queue = fairQueue<DueTokens>();
    this.queues.set(host, queue);
    const workers = forEachParallel(queue, parallelSlots, ({ key, tokens }) =>
      this.apart(async () => {
        const options = { parallel: 1, limits: this.limits };
        this.add(await endTokens(this.ports, { key, ...this.job }, tokens, options));
      }),
    );
    this.underWay.push(workers);
    return queue;
  }

  private add({ revoked, pending, oldestPendingMs }: LogoutCounts & { oldestPendingMs: number }): void {
    const { audit } = this.job;
    this.revoked += revoked;
    this.pending += pending;
    if (pending > 0) audit.oldest_pending_ms = Math.max(audit.oldest_pending_ms ?? 0, oldestPendingMs);
  }
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
