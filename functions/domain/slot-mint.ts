/** The slot's transitions for a login: the lock, the store, the release. */
import type { ScopeControl } from "./control.ts";
import { addFailure, configurationsKept, type MintFailure, withoutFailure } from "./failures.ts";
import type { Lease, SupersededToken, TrackedToken } from "./lease.ts";
import {
  type Ask,
  decide,
  lockMs,
  type Mint,
  maxTracked,
  newestOf,
  prune,
  recentMints,
  type Slot,
  type Step,
  staleReportAfterMs,
  tracked,
  withName,
} from "./slot.ts";
import { moveToOutbox, toOutbox, toTracked } from "./slot-revoke.ts";

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

export type LockOutcome =
  | {
      kind: "locked";
      mint: Mint;
      /** An earlier lock ran out and nobody said how it ended. */
      possibleOrphan: boolean;
    }
  /** The slot has changed: decide anew. */
  | { kind: "changed" };

/**
 * Takes the lock for one login. If the slot counts its own logins, the same write spends one, and puts a lease reported
 * stale into the outbox. For a session, {@link dropUnwanted} moves the lease later, after the caller's budget has spent one.
 */
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
  const locked = { ...slot, names: withName(slot.names, ask.callerArn), mint };
  const isCountedHere = ask.mintsPerTenMinutes !== undefined;
  return {
    next: isCountedHere
      ? { ...moveUnwanted(locked, ask, now).slot, mintedAt: spend(slot, ask.digest, now) }
      : locked,
    outcome: { kind: "locked", mint, possibleOrphan: slot.mint !== undefined },
  };
}

/** Moves a lease to the outbox if it was reported stale, or if its row was edited. */
export function dropUnwanted(slot: Slot, ask: Unwanted, now: number): Step<Slot, undefined> {
  const { slot: next, moved } = moveUnwanted(slot, ask, now);
  return moved > 0 ? { next, outcome: undefined } : { outcome: undefined };
}

export type Unwanted = Pick<Ask, "digest" | "staleLeaseId" | "unreadableLeaseId">;

function moveUnwanted(slot: Slot, { digest, staleLeaseId, unreadableLeaseId }: Unwanted, now: number) {
  const newest = newestOf(slot, digest)?.leaseId;
  const unwanted = ({ leaseId, issuedAt }: TrackedToken) =>
    leaseId === newest &&
    (leaseId === unreadableLeaseId || (leaseId === staleLeaseId && now - issuedAt >= staleReportAfterMs));
  return moveToOutbox(prune(slot, now), unwanted, now);
}

export type StoreOutcome =
  /** The token is the slot's lease. */
  | "stored"
  /** A revocation or another lock overtook the token. It is in the outbox and must be logged out. */
  | "fenced"
  /** As `fenced`, but there was no room to track the token, so it must be logged out at once. */
  | "untracked";

/** Stores a fresh token if `owner` still has the lock. Otherwise appends the token to the outbox before anything else. */
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
        next: { ...retired, lease, failures: withoutFailure(slot.failures, lease.digest) },
        outcome: "stored",
      };
  }
  const { slot: fenced, outcome } = append(freed, lease, now);
  return outcome === "untracked" && !mine ? { outcome } : { next: fenced, outcome };
}

/** The outcome of an earlier store of the token, if the row shows it. */
function whereIs(slot: Slot, leaseId: string): "stored" | "fenced" | undefined {
  const isIt = (token: TrackedToken) => token.leaseId === leaseId;
  if ((slot.lease && isIt(slot.lease)) || slot.superseded.some(isIt)) return "stored";
  return slot.outbox.some(isIt) ? "fenced" : undefined;
}

/** Late owners of lost locks can fill the row. Without room the token is ended at once instead of being tracked. */
function append(
  slot: Slot,
  token: TrackedToken,
  now: number,
): { slot: Slot; outcome: "fenced" | "untracked" } {
  if (tracked(slot) >= maxTracked) return { slot, outcome: "untracked" };
  return { slot: { ...slot, outbox: [...slot.outbox, toOutbox(token, now)] }, outcome: "fenced" };
}

/**
 * The lease gives way to a new one. It is tracked until its own end, or is due for logout if this end has passed. Older
 * tokens of the new lease's configuration are not served again, but tokens of another configuration are.
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

/** The end of a login without a token to serve. */
export interface FailedMint {
  readonly digest: string;
  /** Requests of the configuration share it until its back-off is over. A session's failure is in its caller's budget. */
  readonly failure?: MintFailure | undefined;
  /**
   * Certainly no token was left behind, so the mint budget gets this login back. The budget is for tokens: neither a
   * corrected secret nor a Looker back in service must find it spent on failures.
   */
  readonly noTokenLeft: boolean;
  /** A token in hand that must not be served, or could not be stored as far as its owner knows. */
  readonly inHand?: { readonly token: Lease; readonly ended: boolean } | undefined;
}

/**
 * Gives the lock back without a token, and settles a store with an unknown outcome. If Looker has ended the token,
 * it leaves the row. Otherwise it stays in the row, or goes to the outbox if the row does not show it.
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
  const begun = slot.mintedAt[digest];
  const next: Slot = {
    ...prune(settled, now),
    mint: undefined,
    mintedAt:
      noTokenLeft && begun
        ? { ...slot.mintedAt, [digest]: begun.filter((at) => at !== since) }
        : slot.mintedAt,
  };
  if (!failure || outcome === "stored") return { next, outcome };
  return { next: { ...next, failures: addFailure(slot.failures, digest, failure, now) }, outcome };
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
