/**
 * The slot: everything one caller holds in one scope, or one session of it, as a pure state machine. Each transition takes the slot as it was
 * read and the time, and gives the next slot (or none: nothing to write) with what it came to. A failed conditional
 * write is answered by reading again and applying the transition again, so every transition may be applied twice. Logins are in
 * slot-mint.ts, revocations and logouts in slot-revoke.ts.
 *
 *             decide = mint                      storeMinted
 *   (empty) ───────────────▶ minting ─────────────────────────▶ live ──▶ superseded (renewed) ─┐
 *      ▲                        │ revoke                          │ revoke, reported stale       │ ends, revoke
 *      │ releaseMint            ▼                                 ▼                              ▼
 *      └──────────────────── doomed ── storeMinted ──────────▶ outbox ── settle (Looker confirmed) ──▶ gone
 */
import type { ScopeControl, Versioned } from "./control.ts";
import { type Failure, failureRefusal, type Refusal } from "./failures.ts";
import {
  clockSkewMs,
  type Lease,
  lookerLifeIsOver,
  type OutboxToken,
  refreshAt,
  type SupersededToken,
  type TrackedToken,
} from "./lease.ts";

/** `superseded` and `outbox` together. At the bound minting stops: a row cannot grow without end. */
export const maxTracked = 16;
/** How long a lock is good for: secret, control, one login (8 s at most) and the store. */
export const lockMs = 15_000;
/** A stale report counts only for a lease that is older than this. */
export const staleReportAfterMs = 10_000;
export const mintWindowMs = 600_000;
/** An IAM user can be renamed, and IAM is eventually consistent: old and new name arrive in turns for a while. */
const namesKept = 4;

/** A login under way. */
export interface Mint {
  /** Fencing token: only its owner may store under this lock. */
  readonly owner: string;
  readonly since: number;
  readonly until: number;
  /** The scope's epoch that was read with the slot: a raised one dooms every lock of an older epoch. */
  readonly epoch: number;
  /** A revocation overtook it: what it brings goes to the outbox. */
  readonly doomed: boolean;
}

export interface Slot extends Versioned {
  /** Path-less ARNs that the caller has had, the latest first; the key holds the identity. Operators revoke by them. */
  readonly names: readonly string[];
  readonly lease?: Lease | undefined;
  readonly superseded: readonly SupersededToken[];
  readonly outbox: readonly OutboxToken[];
  readonly mint?: Mint | undefined;
  /** At most one of each configuration. */
  readonly failures: readonly Failure[];
  /** By configuration: when logins were begun in the last {@link mintWindowMs}. */
  readonly mintedAt: Readonly<Record<string, readonly number[]>>;
}

export const emptySlot: Slot = {
  version: 0,
  names: [],
  superseded: [],
  outbox: [],
  failures: [],
  mintedAt: {},
};

/** A transition's result. Without `next` nothing needs to be written. */
export interface Step<Row, Outcome> {
  readonly next?: Row | undefined;
  readonly outcome: Outcome;
}

/** What a request for a token asks of the slot. */
export interface Ask {
  /** The caller's ARN now. An IAM user can be renamed and keeps its unique id. */
  readonly callerArn: string;
  readonly minTtlMs: number;
  readonly staleLeaseId?: string | undefined;
  /** A lease that could not be unsealed: its row was edited. It is never served. */
  readonly unreadableLeaseId?: string | undefined;
  readonly digest: string;
  /** Absent for a session: its logins are counted by its caller's budget (session-budget.ts), not by the slot. */
  readonly mintsPerTenMinutes?: number | undefined;
  /** That budget's answer, once it was asked and refused. */
  readonly refusal?: Refusal | undefined;
  /** Whether this request may still log in: it has not yet, and enough of its time is left. */
  readonly mayMint: boolean;
}

export type Decision =
  | { kind: "serve"; lease: TrackedToken }
  /** The row does not bear the caller's name yet, and operators revoke by name: {@link addName} first. */
  | { kind: "add_name" }
  | { kind: "mint" }
  /** Somebody else is at it. */
  | { kind: "wait" }
  | Refusal;

/** What to do for a request. The hot path is `serve`: it writes nothing. */
export function decide(slot: Slot, control: ScopeControl, ask: Ask, now: number): Decision {
  if (control.frozen) return { kind: "refuse", code: "scope_frozen", detail: frozenDetail };
  const lease = servable(slot, control, ask, now);
  if (lease && !slot.names.includes(ask.callerArn)) return { kind: "add_name" };
  const reported = lease !== undefined && lease.leaseId === ask.staleLeaseId;
  if (reported && now - lease.issuedAt < staleReportAfterMs)
    return { kind: "refuse", code: "busy", retryAfterMs: lease.issuedAt + staleReportAfterMs - now };
  const blocker = mintBlocker(slot, ask, now);
  if (lease && !reported) {
    // Refreshing ahead never costs a caller the lease that is still good.
    return now >= refreshAt(lease) && !blocker ? { kind: "mint" } : { kind: "serve", lease };
  }
  return blocker ?? { kind: "mint" };
}

const frozenDetail = "An operator has frozen the scope. No token is given until an operator unfreezes it.";

function servable(slot: Slot, control: ScopeControl, ask: Ask, now: number): TrackedToken | undefined {
  const lease = newestOf(slot, ask.digest);
  if (!lease || lease.epoch !== control.epoch || lease.leaseId === ask.unreadableLeaseId) return undefined;
  return lease.endsAt - now >= ask.minTtlMs ? lease : undefined;
}

/**
 * The one token that a configuration may be served. Where that is stale, unreadable or revoked, no older one stands in: all
 * others of the configuration are marked as replaced.
 */
export function newestOf(slot: Slot, digest: string): TrackedToken | undefined {
  if (slot.lease?.digest === digest) return slot.lease;
  return slot.superseded.find((token) => token.digest === digest && !token.replaced);
}

/** Whether some configuration may be served this token of the slot, lease or superseded. */
export function isServed(slot: Slot, token: TrackedToken, epoch: number, now: number): boolean {
  return (
    newestOf(slot, token.digest)?.leaseId === token.leaseId && token.epoch === epoch && token.endsAt > now
  );
}

/** The caller has another name now. None of the last four is forgotten for another of them. */
export function addName(slot: Slot, callerArn: string): Step<Slot, undefined> {
  const names = withName(slot.names, callerArn);
  return names === slot.names ? { outcome: undefined } : { next: { ...slot, names }, outcome: undefined };
}

export const withName = (names: readonly string[], callerArn: string): readonly string[] =>
  names.includes(callerArn) ? names : [callerArn, ...names].slice(0, namesKept);

/** Why no login may begin now, if so. */
function mintBlocker(slot: Slot, ask: Ask, now: number): Decision | undefined {
  if (slot.mint && now < slot.mint.until + clockSkewMs) return { kind: "wait" };
  const refusal = ask.refusal ?? failureRefusal(slot.failures, ask.digest, now) ?? overBudget(slot, ask, now);
  if (refusal) return refusal;
  if (isFull(prune(slot, now)))
    return {
      kind: "refuse",
      code: "busy",
      retryAfterMs: 60_000,
      detail: "Too many revoked tokens await Looker's confirmation.",
    };
  return ask.mayMint ? undefined : { kind: "refuse", code: "busy", retryAfterMs: 1_000 };
}

function overBudget(slot: Slot, { digest, mintsPerTenMinutes }: Ask, now: number): Refusal | undefined {
  if (mintsPerTenMinutes === undefined) return undefined;
  const recent = recentMints(slot, digest, now);
  if (recent.length < mintsPerTenMinutes) return undefined;
  const oldest = recent.at(-mintsPerTenMinutes) ?? now;
  return { kind: "refuse", code: "too_many_mints", retryAfterMs: oldest + mintWindowMs - now };
}

export const tracked = (slot: Slot) => slot.superseded.length + slot.outbox.length;

/** Room is kept for the lease that a mint would supersede and for its token, should it be doomed. */
function isFull(slot: Slot): boolean {
  return tracked(slot) + (slot.lease ? 1 : 0) + 1 > maxTracked;
}

export const recentMints = (slot: Slot, digest: string, now: number) =>
  (slot.mintedAt[digest] ?? []).filter((at) => at > now - mintWindowMs);

/** Drops tokens whose Looker life is over: they are `expired`, which is not `revoked`. */
export function prune(slot: Slot, now: number): Slot {
  const alive = (token: TrackedToken) => !lookerLifeIsOver(token, now);
  return {
    ...slot,
    lease: slot.lease && alive(slot.lease) ? slot.lease : undefined,
    superseded: slot.superseded.filter(alive),
    outbox: slot.outbox.filter(alive),
  };
}

/** When the sweeper must look at this slot, or undefined if there is nothing that it could do. */
export function dueAt(slot: Slot): number | undefined {
  const times = [
    ...(slot.lease ? [slot.lease.endsAt] : []),
    ...slot.superseded.map((token) => token.endsAt),
    ...slot.outbox.map((token) => token.retryAt),
    ...(slot.mint ? [slot.mint.until + clockSkewMs] : []),
  ];
  return times.length === 0 ? undefined : Math.min(...times);
}

/** When DynamoDB's TTL may delete the row: a day after the last Looker expiry of anything in it. TTL only cleans up. */
export function deletableAt(slot: Slot, now: number): number {
  const tokens = [...(slot.lease ? [slot.lease] : []), ...slot.superseded, ...slot.outbox];
  return Math.max(now, slot.mint?.until ?? 0, ...tokens.map((token) => token.lookerEndsAt)) + 86_400_000;
}
