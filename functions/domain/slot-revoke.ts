/** The slot's transitions for revocations and logouts. */
import { clockSkewMs, nextLogoutAt, type OutboxToken, type TrackedToken } from "./lease.ts";
import { type Mint, prune, type Slot, type Step } from "./slot.ts";

/** Which of a slot's tokens a revocation means. An empty filter means all of them: who may say so is not decided here. */
export interface RevocationFilter {
  readonly leaseId?: string | undefined;
  readonly issuedBefore?: number | undefined;
  readonly clientId?: string | undefined;
  /** Hex. */
  readonly tokenSha256?: string | undefined;
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
    (filter.tokenSha256 === undefined || filter.tokenSha256 === token.tokenSha256) &&
    (filter.olderEpoch === undefined || token.epoch < filter.olderEpoch)
  );
}

/**
 * A login under way has no lease id and no token yet, so nobody can have found its token. Its client id is not known before the
 * secret is read.
 */
function couldMatch(mint: Mint, filter: RevocationFilter): boolean {
  return (
    filter.leaseId === undefined &&
    filter.tokenSha256 === undefined &&
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

/** Of a token that was marked for what it was, only what tracks it. */
export function toTracked(token: TrackedToken): TrackedToken {
  const { leaseId, sealed, tokenSha256, baseUrl, clientId, issuedAt, endsAt, lookerEndsAt, epoch, digest } =
    token;
  return { leaseId, sealed, tokenSha256, baseUrl, clientId, issuedAt, endsAt, lookerEndsAt, epoch, digest };
}

/** Due for logout at once. */
export function toOutbox(token: TrackedToken, now: number): OutboxToken {
  return { ...toTracked(token), since: now, attempts: 0, retryAt: now };
}
