/** The operator's verbs: list, find, revoke, freeze, unfreeze. Each is told the truth about what is dead. */

import type { AccountCheck } from "../domain/account-check.ts";
import { type Freeze, raiseEpoch, type ScopeControl } from "../domain/control.ts";
import { clockSkewMs } from "../domain/lease.ts";
import { Problem } from "../domain/problem.ts";
import type { Scope } from "../domain/scope.ts";
import type { RevocationFilter } from "../domain/slot-revoke.ts";
import { commit } from "./commit.ts";
import { type Denial, deny, foreseeDenial, noRoomDetail } from "./denials.ts";
import { type ListedLease, leasesOf } from "./listed-lease.ts";
import { type BrokerTable, Unavailable, Unreadable } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";
import {
  countMatches,
  endFenced,
  fenceSlots,
  type OperateJob,
  type OperatePorts,
  type RevocationCounts,
  runJob,
  type Selection,
  selectSlots,
} from "./revoke-slots.ts";

type ChosenLeases = { callerArn?: string | undefined } & Omit<RevocationFilter, "olderEpoch">;

/** What an operator asks to end. `all` stands alone. */
export type RevocationRequest =
  | ({ all: true } & { [Name in keyof ChosenLeases]?: never })
  | ({ all?: false } & ChosenLeases);

/** Set only if a client id is denied by it. */
interface Denying {
  readonly denial?: Denial | undefined;
}

export async function countLeases(
  ports: OperatePorts,
  job: OperateJob,
  request: RevocationRequest,
): Promise<Pick<RevocationCounts, "matched"> & Denying> {
  const clientId = deniedBy(request);
  const denial = clientId === undefined ? undefined : await foreseeDenial(ports, job, clientId);
  const matched = await countMatches(ports, selectionOf(job.scope, request), job.audit);
  Object.assign(job.audit, { outcome: "counted", matched });
  return { matched, denial };
}

/** @returns 0 pending only if Looker confirmed everything and the whole scope was gone through. */
export async function revokeLeases(
  ports: OperatePorts,
  job: OperateJob,
  request: RevocationRequest,
): Promise<RevocationCounts & Denying> {
  if (request.all) return await revokeScope(ports, job, undefined);
  const clientId = deniedBy(request);
  // First of all no new token: a login that begins now is refused, one under way is doomed below.
  const denial = clientId === undefined ? undefined : await deny(ports, job, clientId);
  try {
    const fenced = await fenceSlots(ports, selectionOf(job.scope, request), job);
    const [found] = fenced.slots.flatMap(({ tokens }) => tokens);
    if (found && request.tokenSha256 !== undefined) job.audit.lease_id = found.leaseId;
    const revoked = await endFenced(ports, fenced.slots, job);
    const result = conclude(job, "revoked", { matched: fenced.matched, revoked });
    if (clientId === undefined || denial) return { ...result, denial };
    throw new Problem("bad_request", {
      detail: `Of ${result.matched} leases ${result.revoked} were ended and the rest is pending, but ${noRoomDetail}`,
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

/** Callers are served again, with new leases. A job under way goes on. @returns the freeze that this call ended */
export async function unfreezeScope(
  ports: OperatePorts,
  { scope, deadline, audit }: OperateJob,
): Promise<Freeze | undefined> {
  const was = await commit(
    ports.table.scopeControls,
    scope.name,
    (control) => ({ next: control.frozen && { ...control, frozen: undefined }, outcome: control.frozen }),
    { ...ports, deadline },
  );
  audit.outcome = "unfrozen";
  return was;
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

function selectionOf(scope: Scope, request: RevocationRequest): Selection {
  const { callerArn, leaseId, issuedBefore, clientId, tokenSha256 } = request;
  // By another clock a lease of before may look as much later. Too much is ended rather than too little.
  const before = issuedBefore === undefined ? undefined : issuedBefore + clockSkewMs;
  return { scope: scope.name, callerArn, filter: { leaseId, issuedBefore: before, clientId, tokenSha256 } };
}

/** By itself a client id says that the pair is not to be used any more. With other filters it only tells which leases are meant. */
function deniedBy({ all: _, clientId, ...others }: RevocationRequest): string | undefined {
  return Object.values(others).every((other) => other === undefined) ? clientId : undefined;
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

/** The lease of one token, wherever in the scope it is. */
export async function findLease(
  { table, clock }: OperatePorts,
  { scope, audit }: OperateJob,
  tokenSha256: string,
): Promise<Omit<LeasePage, "next">> {
  const [control, account] = await Promise.all([
    table.scopeControls.read(scope.name),
    accountOf(table, scope, audit),
  ]);
  const leases: ListedLease[] = [];
  const everywhere = { from: 0, to: table.slotPartitions };
  const slots = selectSlots(table, { scope: scope.name, filter: {} }, everywhere, (rows) =>
    count(audit, "unreadable", rows),
  );
  for await (const slot of slots) leases.push(...leasesOf(slot, control, clock.now(), tokenSha256));
  audit.outcome = "listed";
  if (leases[0]?.leaseId) audit.lease_id = leases[0].leaseId;
  return { leases, frozen: control.frozen, account };
}
