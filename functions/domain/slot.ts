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
  type SupersededToken,
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
/** Configurations of which a row remembers failures and logins. Two live side by side while a deployment lasts. */
const configurationsKept = 4;
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

/** How the last mint of one configuration failed; shared by everyone of it who asks before `until`. */
export interface Failure {
  readonly digest: string;
  readonly code: ProblemCode;
  readonly detail?: string | undefined;
  readonly at: number;
  readonly until: number;
  /** Failures in a row, for the back-off. */
  readonly count: number;
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
  readonly mintsPerTenMinutes: number;
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
  | { kind: "refuse"; code: ProblemCode; retryAfterMs?: number; detail?: string | undefined };

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
function newestOf(slot: Slot, digest: string): TrackedToken | undefined {
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

const withName = (names: readonly string[], callerArn: string): readonly string[] =>
  names.includes(callerArn) ? names : [callerArn, ...names].slice(0, namesKept);

/** Why no login may begin now, if so. */
function mintBlocker(slot: Slot, ask: Ask, now: number): Decision | undefined {
  if (slot.mint && now < slot.mint.until + clockSkewMs) return { kind: "wait" };
  const failure = slot.failures.find(({ digest }) => digest === ask.digest);
  if (failure && now < failure.until)
    return {
      kind: "refuse",
      code: failure.code,
      detail: failure.detail,
      // Rejected credentials are for an operator to mend: coming back soon is of no use.
      ...(failure.code === "looker_rejected_credentials" ? {} : { retryAfterMs: failure.until - now }),
    };
  const recent = recentMints(slot, ask.digest, now);
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

const recentMints = (slot: Slot, digest: string, now: number) =>
  (slot.mintedAt[digest] ?? []).filter((at) => at > now - mintWindowMs);

/** Spends one login of the configuration's budget. */
function spend(slot: Slot, digest: string, now: number): Slot["mintedAt"] {
  const last = (other: string) => recentMints(slot, other, now).at(-1) ?? 0;
  const kept = Object.keys(slot.mintedAt)
    .filter((other) => other !== digest && last(other) > 0)
    .toSorted((a, b) => last(a) - last(b))
    .slice(1 - configurationsKept);
  const entries = [...kept, digest].map((each) => [each, recentMints(slot, each, now)] as const);
  return { ...Object.fromEntries(entries), [digest]: [...recentMints(slot, digest, now), now] };
}

/** Without the configuration's last failure. */
const otherFailures = (slot: Slot, digest: string) => slot.failures.filter((each) => each.digest !== digest);

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
  const mint: Mint = { owner, since: now, until: now + lockMs, epoch: control.epoch, doomed: false };
  const newest = newestOf(slot, ask.digest)?.leaseId;
  const unwanted = ({ leaseId, issuedAt }: TrackedToken) =>
    leaseId === newest &&
    (leaseId === ask.unreadableLeaseId ||
      (leaseId === ask.staleLeaseId && now - issuedAt >= staleReportAfterMs));
  const { slot: rest } = moveToOutbox(prune(slot, now), unwanted, now);
  return {
    next: {
      ...rest,
      names: withName(rest.names, ask.callerArn),
      mint,
      mintedAt: spend(slot, ask.digest, now),
    },
    outcome: { kind: "locked", mint, possibleOrphan: slot.mint !== undefined },
  };
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
  const found = whereIs(slot, lease.leaseId);
  if (found) return { outcome: found };
  const pruned = prune(slot, now);
  const mine = pruned.mint?.owner === owner;
  const freed = mine ? { ...pruned, mint: undefined } : pruned;
  if (mine && !pruned.mint?.doomed) {
    const retired = retireLease(freed, lease.digest, now);
    if (tracked(retired) <= maxTracked)
      return {
        next: { ...retired, lease, failures: otherFailures(slot, lease.digest) },
        outcome: "stored",
      };
  }
  const { slot: fenced, outcome } = append(freed, lease, now);
  return outcome === "untracked" && !mine ? { outcome } : { next: fenced, outcome };
}

/** What became of a token that was to be stored, where the row shows it. */
function whereIs(slot: Slot, leaseId: string): "stored" | "fenced" | undefined {
  const isIt = (token: TrackedToken) => token.leaseId === leaseId;
  if ((slot.lease && isIt(slot.lease)) || slot.superseded.some(isIt)) return "stored";
  return slot.outbox.some(isIt) ? "fenced" : undefined;
}

/** Late owners of lost locks can fill the row; then the token is ended at once instead of being tracked. */
function append(
  slot: Slot,
  token: TrackedToken,
  now: number,
): { slot: Slot; outcome: "fenced" | "untracked" } {
  if (tracked(slot) >= maxTracked) return { slot, outcome: "untracked" };
  return { slot: { ...slot, outbox: [...slot.outbox, toOutbox(token, now)] }, outcome: "fenced" };
}

/**
 * The lease gives way to another: tracked until its own end, or due for logout where that has passed. Older tokens of the
 * new one's configuration are not served again; those of another configuration are.
 */
function retireLease(slot: Slot, digest: string, now: number): Slot {
  const replacing = (token: TrackedToken, replaced: boolean): SupersededToken => ({
    ...toTracked(token),
    replaced: replaced || token.digest === digest,
  });
  const superseded = slot.superseded.map((token) => replacing(token, token.replaced));
  const { lease } = slot;
  if (!lease) return { ...slot, superseded };
  return lease.endsAt <= now
    ? { ...slot, lease: undefined, superseded, outbox: [...slot.outbox, toOutbox(lease, now)] }
    : { ...slot, lease: undefined, superseded: [...superseded, replacing(lease, false)] };
}

export type MintFailure = Pick<Failure, "code" | "detail"> & { until?: number };

/** How a login ended that brought nothing to serve. */
export interface FailedMint {
  readonly digest: string;
  /** Shared with everyone of the configuration who asks before its back-off is over. */
  readonly failure?: MintFailure | undefined;
  /**
   * Certainly no token was left behind, so the mint budget gets its own back: the budget is for tokens, and neither a
   * corrected secret nor a Looker that is back must find it spent on failures.
   */
  readonly noTokenLeft: boolean;
  /** A token in hand that must not be served, or could not be stored as far as its owner knows. */
  readonly inHand?: { readonly token: Lease; readonly ended: boolean } | undefined;
}

/**
 * Gives the lock back without a token. This settles a store whose outcome stayed unknown: a token that the row does not show
 * goes to the outbox, unless Looker has ended it; one that the row shows stays, unless Looker has ended it.
 */
export function releaseMint(
  slot: Slot,
  owner: string,
  { digest, failure, noTokenLeft, inHand }: FailedMint,
  now: number,
): Step<Slot, StoreOutcome | undefined> {
  const mine = slot.mint?.owner === owner;
  const { slot: settled, outcome } = inHand ? settleInHand(slot, inHand, now) : { slot, outcome: undefined };
  if (!mine) return settled === slot ? { outcome } : { next: prune(settled, now), outcome };
  const since = slot.mint?.since;
  const begun = slot.mintedAt[digest] ?? [];
  const next: Slot = {
    ...prune(settled, now),
    mint: undefined,
    mintedAt: noTokenLeft
      ? { ...slot.mintedAt, [digest]: begun.filter((at) => at !== since) }
      : slot.mintedAt,
  };
  if (!failure || outcome === "stored") return { next, outcome };
  const last = slot.failures.find((each) => each.digest === digest);
  const count = (last?.count ?? 0) + 1;
  const until = failure.until ?? now + Math.min(1_000 * 2 ** Math.min(count - 1, 10), 30_000);
  const own: Failure = { digest, code: failure.code, detail: failure.detail, at: now, until, count };
  return {
    next: { ...next, failures: [...otherFailures(slot, digest).slice(1 - configurationsKept), own] },
    outcome,
  };
}

function settleInHand(
  slot: Slot,
  { token, ended }: NonNullable<FailedMint["inHand"]>,
  now: number,
): { slot: Slot; outcome: StoreOutcome | undefined } {
  const found = whereIs(slot, token.leaseId);
  if (!ended) return found ? { slot, outcome: found } : append(slot, token, now);
  if (!found) return { slot, outcome: undefined };
  const other = ({ leaseId }: TrackedToken) => leaseId !== token.leaseId;
  return {
    slot: {
      ...slot,
      lease: slot.lease && other(slot.lease) ? slot.lease : undefined,
      superseded: slot.superseded.filter(other),
      outbox: slot.outbox.filter(other),
    },
    outcome: undefined,
  };
}

/** Which of a slot's tokens a revocation means. An empty filter means all of them: who may say so is not decided here. */
export interface RevocationFilter {
  readonly leaseId?: string | undefined;
  readonly issuedBefore?: number | undefined;
  readonly clientId?: string | undefined;
  /** The whole scope, but for what was asked for after the epoch was raised to this. No clock decides it. */
  readonly olderEpoch?: number | undefined;
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
    (filter.olderEpoch === undefined || token.epoch < filter.olderEpoch)
  );
}

/** A login under way has no lease id yet, and its client id is not known before the secret is read. */
function couldMatch(mint: Mint, filter: RevocationFilter): boolean {
  return (
    filter.leaseId === undefined &&
    (filter.issuedBefore === undefined || mint.since < filter.issuedBefore) &&
    // The lease's epoch is read after the lock, so it is never older than the lock's own.
    (filter.olderEpoch === undefined || mint.epoch < filter.olderEpoch)
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

/** Of a token that was marked for what it was, only what tracks it. */
function toTracked(token: TrackedToken): TrackedToken {
  const { leaseId, sealed, tokenSha256, baseUrl, clientId, issuedAt, endsAt, lookerEndsAt, epoch, digest } =
    token;
  return { leaseId, sealed, tokenSha256, baseUrl, clientId, issuedAt, endsAt, lookerEndsAt, epoch, digest };
}

/** Due for logout at once. */
function toOutbox(token: TrackedToken, now: number): OutboxToken {
  return { ...toTracked(token), since: now, attempts: 0, retryAt: now };
}
