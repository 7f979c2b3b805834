/**
 * The slot: everything one caller holds in one scope, as a pure state machine. Each transition takes the slot as it was
 * read and the time, and gives the next slot (or none: nothing to write) with what it came to. A failed conditional
 * write is answered by reading again and applying the transition again, so every transition may be applied twice.
 *
 *             decide = mint                      storeMinted
 *   (empty) ───────────────▶ minting ─────────────────────────▶ live ──▶ superseded (renewed) ─┐
 *      ▲                        │ revoke                          │ revoke, reported stale       │ ends, revoke
 *      │ releaseMint            ▼                                 ▼                              ▼
 *      └──────────────────── doomed ── storeMinted ──────────▶ outbox ── settle (Looker confirmed) ──▶ gone
 */
import type { ScopeControl, Versioned } from "./control.ts";
import {
  clockSkewMs,
  type Lease,
  lookerLifeIsOver,
  nextLogoutAt,
  type OutboxToken,
  refreshAt,
  type TrackedToken,
} from "./lease.ts";
import type { ProblemCode } from "./problem.ts";

/** `superseded` and `outbox` together. At the bound minting stops: a row cannot grow without end. */
export const maxTracked = 16;
/** How long a lock is good for: secret, control, one login (8 s at most) and the store. */
export const lockMs = 15_000;
/** A stale report counts only for a lease that is older than this. */
export const staleReportAfterMs = 10_000;
export const mintWindowMs = 600_000;

/** A login under way. */
export interface Mint {
  /** Fencing token: only its owner may store under this lock. */
  readonly owner: string;
  readonly since: number;
  readonly until: number;
  /** A revocation overtook it: what it brings goes to the outbox. */
  readonly doomed: boolean;
}

/** How the last mint failed; shared by everyone who asks before `until`. */
export interface Failure {
  readonly code: ProblemCode;
  readonly detail?: string | undefined;
  readonly at: number;
  readonly until: number;
  /** Failures in a row, for the back-off. */
  readonly count: number;
}

export interface Slot extends Versioned {
  /** Path-less ARN, for people; the key holds the identity. */
  readonly callerArn: string;
  readonly lease?: Lease | undefined;
  readonly superseded: readonly TrackedToken[];
  readonly outbox: readonly OutboxToken[];
  readonly mint?: Mint | undefined;
  readonly failure?: Failure | undefined;
  /** When logins were begun in the last {@link mintWindowMs}. */
  readonly mintedAt: readonly number[];
}

export const emptySlot = (callerArn: string): Slot => ({
  version: 0,
  callerArn,
  superseded: [],
  outbox: [],
  mintedAt: [],
});

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
  readonly mintsPerTenMinutes: number;
  /** Whether this request may still log in: it has not yet, and enough of its time is left. */
  readonly mayMint: boolean;
}

export type Decision =
  | { kind: "serve"; lease: Lease }
  | { kind: "mint" }
  /** Somebody else is at it. */
  | { kind: "wait" }
  | { kind: "refuse"; code: ProblemCode; retryAfterMs?: number; detail?: string | undefined };

/** What to do for a request. The hot path is `serve`: it writes nothing. */
export function decide(slot: Slot, control: ScopeControl, ask: Ask, now: number): Decision {
  if (control.frozen) return { kind: "refuse", code: "scope_frozen", detail: frozenDetail };
  const lease = servable(slot, control, ask, now);
  if (lease && lease.leaseId === ask.staleLeaseId && now - lease.issuedAt < staleReportAfterMs)
    return { kind: "refuse", code: "busy", retryAfterMs: lease.issuedAt + staleReportAfterMs - now };
  const reported = lease !== undefined && lease.leaseId === ask.staleLeaseId;
  const blocker = mintBlocker(slot, ask, now);
  if (lease && !reported) {
    // Refreshing ahead never costs a caller the lease that is still good.
    return now >= refreshAt(lease) && !blocker ? { kind: "mint" } : { kind: "serve", lease };
  }
  return blocker ?? { kind: "mint" };
}

const frozenDetail = "An operator has frozen the scope. No token is given until an operator unfreezes it.";

function servable(slot: Slot, control: ScopeControl, ask: Ask, now: number): Lease | undefined {
  const lease = slot.lease;
  // Operators revoke by the ARN in the row, so under another name nothing is served before the row has that name.
  if (slot.callerArn !== ask.callerArn) return undefined;
  if (!lease || lease.epoch !== control.epoch || lease.digest !== ask.digest) return undefined;
  if (lease.leaseId === ask.unreadableLeaseId) return undefined;
  return lease.endsAt - now >= ask.minTtlMs ? lease : undefined;
}

/** Why no login may begin now, if so. */
function mintBlocker(slot: Slot, ask: Ask, now: number): Decision | undefined {
  if (slot.mint && now < slot.mint.until + clockSkewMs) return { kind: "wait" };
  const { failure } = slot;
  if (failure && now < failure.until)
    return {
      kind: "refuse",
      code: failure.code,
      detail: failure.detail,
      // Rejected credentials are for an operator to mend: coming back soon is of no use.
      ...(failure.code === "looker_rejected_credentials" ? {} : { retryAfterMs: failure.until - now }),
    };
  const recent = recentMints(slot, now);
  if (recent.length >= ask.mintsPerTenMinutes) {
    const oldest = recent.at(-ask.mintsPerTenMinutes) ?? now;
    return { kind: "refuse", code: "too_many_mints", retryAfterMs: oldest + mintWindowMs - now };
  }
  if (isFull(prune(slot, now)))
    return {
      kind: "refuse",
      code: "busy",
      retryAfterMs: 60_000,
      detail: "Too many revoked tokens await Looker's confirmation.",
    };
  return ask.mayMint ? undefined : { kind: "refuse", code: "busy", retryAfterMs: 1_000 };
}

const tracked = (slot: Slot) => slot.superseded.length + slot.outbox.length;

/** Room is kept for the lease that a mint would supersede and for its token, should it be doomed. */
function isFull(slot: Slot): boolean {
  return tracked(slot) + (slot.lease ? 1 : 0) + 1 > maxTracked;
}

const recentMints = (slot: Slot, now: number) => slot.mintedAt.filter((at) => at > now - mintWindowMs);

export type LockOutcome =
  | {
      kind: "locked";
      mint: Mint;
      /** An earlier lock ran out and nobody said how it ended. */
      possibleOrphan: boolean;
    }
  /** The slot is not what it was: decide anew. */
  | { kind: "changed" };

/** Takes the lock for one login, spends the mint budget, and puts a lease that was reported stale into the outbox. */
export function takeLock(
  slot: Slot,
  control: ScopeControl,
  ask: Ask,
  owner: string,
  now: number,
): Step<Slot, LockOutcome> {
  if (slot.mint?.owner === owner)
    return { outcome: { kind: "locked", mint: slot.mint, possibleOrphan: false } };
  if (decide(slot, control, ask, now).kind !== "mint") return { outcome: { kind: "changed" } };
  const mint: Mint = { owner, since: now, until: now + lockMs, doomed: false };
  const pruned = prune(slot, now);
  const lease = pruned.lease;
  const reportedStale =
    lease !== undefined && lease.leaseId === ask.staleLeaseId && now - lease.issuedAt >= staleReportAfterMs;
  const dropped = lease && (reportedStale || lease.leaseId === ask.unreadableLeaseId);
  const next: Slot = {
    ...pruned,
    callerArn: ask.callerArn,
    mint,
    mintedAt: [...recentMints(slot, now), now],
    ...(dropped ? { lease: undefined, outbox: [...pruned.outbox, toOutbox(lease, now)] } : {}),
  };
  return { next, outcome: { kind: "locked", mint, possibleOrphan: slot.mint !== undefined } };
}

export type StoreOutcome =
  /** It is the slot's lease. */
  | "stored"
  /** A revocation or another lock overtook it: it is in the outbox and must be logged out. */
  | "fenced"
  /** As `fenced`, but there was no room to track it: it must be logged out at once. */
  | "untracked";

/** Stores a fresh token, if the lock is still its owner's; otherwise appends it to the outbox before anything else. */
export function storeMinted(slot: Slot, owner: string, lease: Lease, now: number): Step<Slot, StoreOutcome> {
  if (slot.lease?.leaseId === lease.leaseId) return { outcome: "stored" };
  if (slot.superseded.some((token) => token.leaseId === lease.leaseId)) return { outcome: "stored" };
  if (slot.outbox.some((token) => token.leaseId === lease.leaseId)) return { outcome: "fenced" };
  const pruned = prune(slot, now);
  const mine = pruned.mint?.owner === owner;
  const freed = mine ? { ...pruned, mint: undefined } : pruned;
  if (mine && !pruned.mint?.doomed) {
    const retired = retireLease(freed, now);
    if (tracked(retired) <= maxTracked)
      return { next: { ...retired, lease, failure: undefined }, outcome: "stored" };
  }
  // Late owners of lost locks can fill the row; then the token is ended at once instead of being tracked.
  if (tracked(freed) >= maxTracked)
    return mine ? { next: freed, outcome: "untracked" } : { outcome: "untracked" };
  return { next: { ...freed, outbox: [...freed.outbox, toOutbox(lease, now)] }, outcome: "fenced" };
}

/** The lease gives way to another: tracked until its own end, or due for logout where that has passed. */
function retireLease(slot: Slot, now: number): Slot {
  const { lease } = slot;
  if (!lease) return slot;
  return lease.endsAt <= now
    ? { ...slot, lease: undefined, outbox: [...slot.outbox, toOutbox(lease, now)] }
    : { ...slot, lease: undefined, superseded: [...slot.superseded, toTracked(lease)] };
}

export type MintFailure = Pick<Failure, "code" | "detail"> & { until?: number };

/**
 * Gives the lock back without a token. `failure` is shared with whoever asks before its back-off is over. Where
 * certainly no token was left behind, the mint budget gets its own back: the budget is for tokens, and neither a corrected
 * secret nor a Looker that is back must find it spent on failures.
 */
export function releaseMint(
  slot: Slot,
  owner: string,
  failure: MintFailure | undefined,
  now: number,
  tokenMade = true,
): Step<Slot, undefined> {
  if (slot.mint?.owner !== owner) return { outcome: undefined };
  const { since } = slot.mint;
  const mintedAt = tokenMade ? slot.mintedAt : slot.mintedAt.filter((at) => at !== since);
  const next: Slot = { ...prune(slot, now), mint: undefined, mintedAt };
  if (!failure) return { next, outcome: undefined };
  const count = (slot.failure?.count ?? 0) + 1;
  const until = failure.until ?? now + Math.min(1_000 * 2 ** Math.min(count - 1, 10), 30_000);
  return {
    next: { ...next, failure: { code: failure.code, detail: failure.detail, at: now, until, count } },
    outcome: undefined,
  };
}

/** Which of a slot's tokens a revocation means. An empty filter means all of them: who may say so is not decided here. */
export interface RevocationFilter {
  readonly leaseId?: string | undefined;
  readonly issuedBefore?: number | undefined;
  readonly clientId?: string | undefined;
  /** The whole scope, but for what was asked for after the epoch was raised. `at` is when that was. */
  readonly olderEpoch?: { readonly epoch: number; readonly at: number } | undefined;
}

export interface Revocation {
  /** All that match and are not confirmed dead, those of earlier revocations included. */
  readonly tokens: readonly OutboxToken[];
  /** A login under way was marked: what it brings will be ended. */
  readonly doomed: boolean;
  /** A lock that had run out without an outcome was cleared. */
  readonly possibleOrphan: boolean;
}

/** Moves all that match into the outbox and dooms a login under way that could match. From here on none is served. */
export function revoke(slot: Slot, filter: RevocationFilter, now: number): Step<Slot, Revocation> {
  const pruned = prune(slot, now);
  const hit = (token: TrackedToken) => matchesFilter(token, filter);
  const { slot: fenced, moved } = moveToOutbox(pruned, hit, now);
  const { mint } = pruned;
  const caught = mint !== undefined && couldMatch(mint, filter);
  // A lock that ran out is cleared rather than doomed: its late owner finds that it is not its own any more.
  const ranOut = caught && now >= mint.until + clockSkewMs;
  const doomed = caught && !ranOut;
  const outcome: Revocation = { tokens: fenced.outbox.filter(hit), doomed, possibleOrphan: ranOut };
  const unchanged = moved === 0 && !ranOut && (!doomed || mint.doomed);
  if (unchanged) return { outcome };
  return {
    next: { ...fenced, mint: ranOut ? undefined : doomed ? { ...mint, doomed: true } : mint },
    outcome,
  };
}

/** From here on none of them is served, and all of them are due for logout. */
export function moveToOutbox(
  slot: Slot,
  which: (token: TrackedToken) => boolean,
  now: number,
): { slot: Slot; moved: number } {
  const moved = [...slot.superseded, ...(slot.lease ? [slot.lease] : [])].filter(which);
  return {
    slot: {
      ...slot,
      lease: slot.lease && which(slot.lease) ? undefined : slot.lease,
      superseded: slot.superseded.filter((token) => !which(token)),
      outbox: [...slot.outbox, ...moved.map((token) => toOutbox(token, now))],
    },
    moved: moved.length,
  };
}

function matchesFilter(token: TrackedToken, filter: RevocationFilter): boolean {
  return (
    (filter.leaseId === undefined || filter.leaseId === token.leaseId) &&
    (filter.issuedBefore === undefined || token.issuedAt < filter.issuedBefore) &&
    (filter.clientId === undefined || filter.clientId === token.clientId) &&
    (filter.olderEpoch === undefined || token.epoch < filter.olderEpoch.epoch)
  );
}

/** A login under way has no lease id yet, and its client id is not known before the secret is read. */
function couldMatch(mint: Mint, filter: RevocationFilter): boolean {
  return (
    filter.leaseId === undefined &&
    (filter.issuedBefore === undefined || mint.since < filter.issuedBefore) &&
    // The epoch is read after the lock, so only a lock from before the raise can bring an older one.
    (filter.olderEpoch === undefined || mint.since < filter.olderEpoch.at + clockSkewMs)
  );
}

/** Records what came of logouts: confirmed tokens leave the slot, the others are tried again later. */
export function settle(
  slot: Slot,
  results: ReadonlyMap<string, "ended" | "unconfirmed">,
  now: number,
): Step<Slot, undefined> {
  if (!slot.outbox.some((token) => results.has(token.leaseId))) return { outcome: undefined };
  const outbox = slot.outbox.flatMap((token) => {
    const result = results.get(token.leaseId);
    if (result === "ended") return [];
    if (result === undefined) return [token];
    return [{ ...token, attempts: token.attempts + 1, retryAt: nextLogoutAt(token.attempts, now) }];
  });
  return { next: { ...prune(slot, now), outbox }, outcome: undefined };
}

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

/** Only what tracking needs: rows stay small. */
function toTracked(token: TrackedToken): TrackedToken {
  const { leaseId, sealed, baseUrl, clientId, issuedAt, endsAt, lookerEndsAt, epoch } = token;
  return { leaseId, sealed, baseUrl, clientId, issuedAt, endsAt, lookerEndsAt, epoch };
}

/** Due for logout at once. */
function toOutbox(token: TrackedToken, now: number): OutboxToken {
  return { ...toTracked(token), since: now, attempts: 0, retryAt: now };
}
