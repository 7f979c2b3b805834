/** The operator's verbs: list, revoke, freeze, unfreeze. Each is told the truth about what is dead. */

import type { AccountCheck } from "../domain/account-check.ts";
import {
  denyClientId,
  type Freeze,
  isDenied,
  maxDeniedClientIds,
  raiseEpoch,
  type ScopeControl,
} from "../domain/control.ts";
import { clockSkewMs, lookerGraceMs, type TrackedToken } from "../domain/lease.ts";
import { Problem } from "../domain/problem.ts";
import type { Scope } from "../domain/scope.ts";
import { isServed } from "../domain/slot.ts";
import type { RevocationFilter } from "../domain/slot-revoke.ts";
import { commit } from "./commit.ts";
import { type BrokerTable, type KeyedSlot, Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";
import {
  countMatches,
  endFenced,
  fenceSlots,
  type OperatePorts,
  type RevocationCounts,
  runJob,
  type Selection,
} from "./revoke-slots.ts";

export interface OperateJob {
  readonly scope: Scope;
  readonly deadline: number;
  readonly audit: AuditFields;
}

type ChosenLeases = { callerArn?: string | undefined } & Omit<RevocationFilter, "olderEpoch">;

/** What an operator asks to end. `all` stands alone. */
export type RevocationRequest =
  | ({ all: true } & { [Name in keyof ChosenLeases]?: never })
  | ({ all?: false } & ChosenLeases);

export async function countLeases(
  ports: OperatePorts,
  job: OperateJob,
  request: RevocationRequest,
): Promise<number> {
  const matched = await countMatches(ports, selectionOf(job.scope, request), job.audit);
  Object.assign(job.audit, { outcome: "counted", matched });
  return matched;
}

/** @returns 0 pending only if Looker confirmed everything and the whole scope was gone through. */
export async function revokeLeases(
  ports: OperatePorts,
  job: OperateJob,
  request: RevocationRequest,
): Promise<RevocationCounts> {
  if (request.all) return await revokeScope(ports, job, undefined);
  const { clientId } = request;
  // By itself it says that the pair is not to be used any more: first of all no new token. A login that begins now is
  // refused, one under way is doomed below. With other filters it only tells which leases are meant.
  const alone = [request.leaseId, request.callerArn, request.issuedBefore].every(
    (other) => other === undefined,
  );
  const denied = clientId === undefined || !alone || (await deny(ports, job, clientId));
  try {
    const fenced = await fenceSlots(ports, selectionOf(job.scope, request), job);
    const revoked = await endFenced(ports, fenced.slots, job);
    const result = conclude(job, "revoked", { matched: fenced.matched, revoked });
    if (denied) return result;
    throw new Problem("bad_request", {
      detail: `Of ${result.matched} leases ${result.revoked} were ended and the rest is pending, but the client id could not be denied: ${maxDeniedClientIds} of this secret are. Freeze the scope, or replace the secret.`,
    });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    // Some slots may be fenced and some not: nothing can be promised, and asking again goes on where this ended.
    throw new Problem("busy", {
      retryAfterSeconds: 1,
      detail:
        "Not every lease could be fenced in time. Repeat the call until it answers 200 or 202, or freeze the scope: that is one write.",
      reason: error.reason,
      cause: error,
    });
  }
}

export async function freezeScope(
  ports: OperatePorts,
  job: OperateJob,
  frozen: Freeze,
): Promise<RevocationCounts> {
  return await revokeScope(ports, job, frozen);
}

/** Callers are served again, with new leases. A job under way goes on. */
export async function unfreezeScope(
  ports: OperatePorts,
  { scope, deadline, audit }: OperateJob,
): Promise<void> {
  await commit(
    ports.table.scopeControls,
    scope.name,
    (control) => ({ next: control.frozen && { ...control, frozen: undefined }, outcome: undefined }),
    { ...ports, deadline },
  );
  audit.outcome = "unfrozen";
}

async function revokeScope(
  ports: OperatePorts,
  job: OperateJob,
  frozen: Freeze | undefined,
): Promise<RevocationCounts> {
  const { table } = ports;
  const { scope, deadline } = job;
  const { job: raised } = await commit(
    table.scopeControls,
    scope.name,
    (row: ScopeControl, now) => {
      const next = raiseEpoch(row, now, frozen);
      return { next, outcome: next };
    },
    { ...ports, deadline },
  );
  // The fence stands. Everything from here on is a matter of time, and the sweeper's if this invocation has none.
  const work = await runJob(ports, scope.name, raised, job);
  // A job that is not through has at least one lease to go, for all that is known: never "nothing pending".
  return conclude(job, frozen ? "frozen" : "revoked", work, work.done ? 0 : 1);
}

function conclude(
  { audit }: OperateJob,
  outcome: "revoked" | "frozen",
  { matched, revoked }: Pick<RevocationCounts, "matched" | "revoked">,
  leastPending = 0,
): RevocationCounts {
  const pending = Math.max(matched - revoked, leastPending);
  const result: RevocationCounts = { matched: revoked + pending, revoked, pending };
  Object.assign(audit, { outcome, ...result });
  return result;
}

/** @returns whether no login can be made with it any more. */
async function deny(
  ports: OperatePorts,
  { scope, deadline }: OperateJob,
  clientId: string,
): Promise<boolean> {
  return await commit(
    ports.table.secretControls,
    scope.secretId,
    (control, now) => {
      const next = denyClientId(control, clientId, now);
      return { next, outcome: next !== undefined || isDenied(control, clientId) };
    },
    { ...ports, deadline },
  );
}

function selectionOf(scope: Scope, request: RevocationRequest): Selection {
  const { callerArn, leaseId, issuedBefore, clientId } = request;
  // By another clock a lease of before may look as much later. Too much is ended rather than too little.
  const before = issuedBefore === undefined ? undefined : issuedBefore + clockSkewMs;
  return { scope: scope.name, callerArn, filter: { leaseId, issuedBefore: before, clientId } };
}

/** A listing is for emergencies, so an edited row of the check must not keep it from the operator. */
async function accountOf(
  table: BrokerTable,
  scope: Scope,
  audit: AuditFields,
): Promise<AccountCheck | undefined> {
  try {
    return await table.accountChecks.read(scope.name);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    count(audit, "unreadable");
    return undefined;
  }
}

/** The last check of the scope's service account. */
export async function readAccount(
  { table }: OperatePorts,
  { scope, audit }: OperateJob,
): Promise<AccountCheck> {
  const check = await table.accountChecks.read(scope.name);
  audit.outcome = "listed";
  return check;
}

export interface ListedLease {
  /** None while a login is under way. */
  readonly leaseId: string | null;
  readonly callerArn: string;
  readonly uniqueId: string;
  /** None for the lease that the caller's processes share. */
  readonly session: string | null;
  readonly state: "live" | "superseded" | "pending" | "minting";
  readonly issuedAt: number;
  /** The end of the lease: the broker serves it no longer, and logs its token out. */
  readonly endsAt: number | null;
  /** From then on Looker has certainly ended the token by itself: whatever went earlier was ended by a logout. */
  readonly tokenEndsAt: number | null;
  readonly clientId: string | null;
}

/** Where a listing goes on. */
export interface ListPosition {
  readonly partition: number;
  readonly after: string | undefined;
}

/** Slots read for one page. */
const pageSlots = 100;

export interface LeasePage {
  readonly leases: ListedLease[];
  readonly frozen: Freeze | undefined;
  /** On the first page. */
  readonly account: AccountCheck | undefined;
  readonly next: ListPosition | undefined;
}

export async function listLeases(
  { table, clock }: OperatePorts,
  { scope, audit }: OperateJob,
  from: ListPosition,
): Promise<LeasePage> {
  const isFirst = from.partition === 0 && from.after === undefined;
  const [control, account] = await Promise.all([
    table.scopeControls.read(scope.name),
    isFirst ? accountOf(table, scope, audit) : undefined,
  ]);
  const leases: ListedLease[] = [];
  let { partition, after } = from;
  let left = pageSlots;
  while (partition < table.slotPartitions && left > 0) {
    const page = await table.querySlots(scope.name, partition, { after, limit: left });
    for (const { key, slot } of page.entries) leases.push(...leasesOf({ key, slot }, control, clock.now()));
    if (page.unreadable > 0) count(audit, "unreadable", page.unreadable);
    left -= page.entries.length + page.unreadable;
    after = page.next;
    if (after === undefined) partition++;
  }
  audit.outcome = "listed";
  return {
    leases,
    frozen: control.frozen,
    account,
    next: partition < table.slotPartitions ? { partition, after } : undefined,
  };
}

function leasesOf({ key, slot }: KeyedSlot, control: ScopeControl, now: number): ListedLease[] {
  const { uniqueId, session = null } = key;
  const caller = { callerArn: slot.names[0] ?? "", uniqueId, session };
  const listed =
    (state: ListedLease["state"]) =>
    (token: TrackedToken): ListedLease => ({
      ...caller,
      leaseId: token.leaseId,
      state: isServed(slot, token, control.epoch, now) ? "live" : state,
      issuedAt: token.issuedAt,
      endsAt: token.endsAt,
      tokenEndsAt: token.lookerEndsAt + lookerGraceMs,
      clientId: token.clientId,
    });
  const { lease, mint } = slot;
  const minting: ListedLease[] = mint
    ? [
        {
          ...caller,
          leaseId: null,
          state: "minting",
          issuedAt: mint.since,
          endsAt: null,
          tokenEndsAt: null,
          clientId: null,
        },
      ]
    : [];
  return [
    // Of an older epoch, or past its end: not served any more, and not confirmed dead.
    ...(lease ? [lease] : []).map(listed("pending")),
    ...slot.superseded.map(listed("superseded")),
    ...slot.outbox.map(listed("pending")),
    ...minting,
  ];
}
