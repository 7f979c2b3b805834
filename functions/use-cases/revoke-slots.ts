/**
 * Revocation over many slots: first all fences, then logouts while time remains. The tokens left over are in outboxes, and
 * the sweeper finds them there.
 */

import { advanceJob, type Job } from "../domain/control.ts";
import type { OutboxToken } from "../domain/lease.ts";
import type { Scope } from "../domain/scope.ts";
import { type Revocation, type RevocationFilter, revoke } from "../domain/slot-revoke.ts";
import { commit } from "./commit.ts";
import {
  endTokens,
  type LogOutPorts,
  type LogoutCounts,
  type LogoutLimits,
  timeForLogout,
} from "./end-tokens.ts";
import { logoutLimits } from "./host-limits.ts";
import { forEachParallel } from "./pool.ts";
import { type BrokerTable, type KeyedSlot, type SlotKey, Unavailable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

export interface OperatePorts extends LogOutPorts {
  readonly table: BrokerTable;
}

export interface OperateJob {
  readonly scope: Scope;
  readonly deadline: number;
  readonly audit: AuditFields;
}

/** Writes under way at once. DynamoDB takes a thousand a second in one partition of a table. */
const parallelFences = 32;
/** Slots worked on at once: more than logouts may be under way, so that KMS and the table keep Looker busy. */
export const parallelSlots = 64;

/** A choice of slots, and of their tokens. */
export interface Selection {
  readonly scope: string;
  /** Path-less ARN. One slot with this name selects all slots of its unique id. */
  readonly callerArn?: string | undefined;
  readonly filter: RevocationFilter;
}

export interface RevocationCounts extends LogoutCounts {
  /** Tokens, logins under way, and rows that cannot be read and so might match. */
  matched: number;
}

export interface FencedSlot {
  readonly key: SlotKey;
  readonly tokens: readonly OutboxToken[];
}

interface FenceJob {
  readonly audit: AuditFields;
  readonly deadline: number;
}

export interface Fenced extends Pick<RevocationCounts, "matched"> {
  readonly slots: FencedSlot[];
}

/** All slots of a selection, in the order of their partitions. */
export async function* selectSlots(
  table: BrokerTable,
  { scope, callerArn }: Selection,
  partitions: { from: number; to: number },
  onUnreadable: (rows: number) => void,
): AsyncGenerator<KeyedSlot> {
  const account = callerArn?.split(":")[4];
  const all = readPartitions(table, { scope, account }, partitions, onUnreadable);
  if (callerArn === undefined) yield* all;
  else yield* ofCallersNamed(callerArn, all);
}

async function* readPartitions(
  table: BrokerTable,
  { scope, account }: { scope: string; account: string | undefined },
  partitions: { from: number; to: number },
  onUnreadable: (rows: number) => void,
): AsyncGenerator<KeyedSlot> {
  for (let partition = partitions.from; partition < partitions.to; partition++) {
    let after: string | undefined;
    do {
      const page = await table.querySlots(scope, partition, { account, after });
      if (page.unreadable > 0) onUnreadable(page.unreadable);
      yield* page.entries;
      after = page.next;
    } while (after !== undefined);
  }
}

/**
 * An IAM user can be renamed, and a session begun since bears the new name alone. So one name in one slot means all slots of
 * the unique id. These slots stand side by side.
 */
async function* ofCallersNamed(
  callerArn: string,
  entries: AsyncIterable<KeyedSlot>,
): AsyncGenerator<KeyedSlot> {
  let group: { caller: string; meant: boolean; before: KeyedSlot[] } | undefined;
  for await (const entry of entries) {
    const caller = `${entry.key.account} ${entry.key.uniqueId}`;
    if (group?.caller !== caller) group = { caller, meant: false, before: [] };
    group.meant ||= entry.slot.names.includes(callerArn);
    group.before.push(entry);
    if (group.meant) yield* group.before.splice(0);
  }
}

/** The number of matches if a revocation came now. Writes nothing. */
export async function countMatches(
  ports: OperatePorts,
  selection: Selection,
  audit: AuditFields,
): Promise<number> {
  let matched = 0;
  const onUnreadable = (rows: number) => {
    matched += rows;
    count(audit, "unreadable", rows);
  };
  const all = { from: 0, to: ports.table.slotPartitions };
  for await (const { slot } of selectSlots(ports.table, selection, all, onUnreadable))
    matched += matchesOf(revoke(slot, selection.filter, ports.clock.now()).outcome);
  return matched;
}

/** Fences every selected slot of the given partitions. @throws when it cannot, because nothing may be promised then. */
export async function fenceSlots(
  ports: OperatePorts,
  selection: Selection,
  job: FenceJob,
  partitions = { from: 0, to: ports.table.slotPartitions },
): Promise<Fenced> {
  let unreadable = 0;
  const slots = selectSlots(ports.table, selection, partitions, (rows) => {
    unreadable += rows;
  });
  const fenced = await fenceEach(ports, slots, selection.filter, job);
  // Nobody is served from an unreadable row, but its tokens cannot be ended, so they are never reported dead.
  if (unreadable > 0) count(job.audit, "unreadable", unreadable);
  return { ...fenced, matched: fenced.matched + unreadable };
}

export async function fenceEach(
  ports: LogOutPorts,
  slots: AsyncIterable<KeyedSlot>,
  filter: RevocationFilter,
  { audit, deadline }: FenceJob,
): Promise<Fenced> {
  const fenced: Fenced = { slots: [], matched: 0 };
  await forEachParallel(slots, parallelFences, async ({ key, slot }) => {
    const outcome = await commit(ports.table.slots, key, (row, now) => revoke(row, filter, now), {
      ...ports,
      start: slot,
      deadline,
    });
    count(audit, "slots");
    if (outcome.possibleOrphan) count(audit, "possible_orphans");
    fenced.matched += matchesOf(outcome);
    if (outcome.tokens.length > 0) fenced.slots.push({ key, tokens: outcome.tokens });
  });
  return fenced;
}

const matchesOf = (revocation: Revocation) => revocation.tokens.length + (revocation.doomed ? 1 : 0);

/** The limits of one invocation. A logout is begun only if it can come to its end. */
export const limitsUntil = (ports: Pick<LogOutPorts, "clock">, deadline: number): LogoutLimits =>
  logoutLimits(() => timeForLogout(ports.clock, deadline));

/** Logs out the fenced tokens while time remains. @returns how many Looker confirmed. */
export async function endFenced(
  ports: LogOutPorts,
  slots: readonly FencedSlot[],
  { audit, deadline }: { audit: AuditFields; deadline: number },
  limits = limitsUntil(ports, deadline),
): Promise<number> {
  let revoked = 0;
  await forEachParallel(slots, parallelSlots, async ({ key, tokens }) => {
    const ended = await endTokens(ports, { key, deadline, audit }, tokens, { parallel: 1, limits });
    // Not `revoked += (await …)`, because this form adds to the sum as it was before the wait.
    revoked += ended.revoked;
  });
  return revoked;
}

/**
 * Carries a whole-scope revocation on from its next partition. Each partition is noted when it is through, so the next run
 * after a crash repeats one partition at most. The raised epoch is the fence, so logouts need not wait for the last
 * partition. Two runs at once are safe.
 */
export async function runJob(
  ports: OperatePorts,
  scope: string,
  job: Job,
  { audit, deadline }: { audit: AuditFields; deadline: number },
  limits = limitsUntil(ports, deadline),
): Promise<RevocationCounts & { done: boolean }> {
  const { table, clock } = ports;
  const selection: Selection = { scope, filter: { olderEpoch: job.epoch } };
  const endings: Promise<number>[] = [];
  let matched = 0;
  let partition = job.nextPartition;
  try {
    for (; partition < table.slotPartitions && clock.now() < deadline; partition++) {
      const through = partition + 1;
      const fenced = await fenceSlots(
        ports,
        selection,
        { audit, deadline },
        { from: partition, to: through },
      );
      matched += fenced.matched;
      endings.push(endFenced(ports, fenced.slots, { audit, deadline }, limits));
      await commit(
        table.scopeControls,
        scope,
        (control) => ({ next: advanceJob(control, job, through, table.slotPartitions), outcome: undefined }),
        { ...ports, deadline },
      );
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    // The answer counts the work done. The next run carries on behind the last partition noted as through.
    audit.reason = error.reason;
  } finally {
    // Also when a fence failed, because no logout may be under way when this function returns.
    await Promise.allSettled(endings);
  }
  const revoked = (await Promise.all(endings)).reduce((sum, each) => sum + each, 0);
  return { matched, revoked, pending: matched - revoked, done: partition >= table.slotPartitions };
}
