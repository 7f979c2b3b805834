/** A slot's tokens, as operators see them. */
import type { ScopeControl } from "../domain/control.ts";
import { lookerGraceMs, type TrackedToken } from "../domain/lease.ts";
import { isServed } from "../domain/slot.ts";
import type { KeyedSlot } from "./ports.ts";

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

/** @param tokenSha256 the lease of this token, if the slot has it. A login under way has no token yet. */
export function leasesOf(
  { key, slot }: KeyedSlot,
  control: ScopeControl,
  now: number,
  tokenSha256?: string,
): ListedLease[] {
  const { uniqueId, session = null } = key;
  const caller = { callerArn: slot.names[0] ?? "", uniqueId, session };
  const listed = (tokens: readonly TrackedToken[], state: ListedLease["state"]): ListedLease[] =>
    tokens
      .filter((token) => tokenSha256 === undefined || token.tokenSha256 === tokenSha256)
      .map((token) => ({
        ...caller,
        leaseId: token.leaseId,
        state: isServed(slot, token, control.epoch, now) ? "live" : state,
        issuedAt: token.issuedAt,
        endsAt: token.endsAt,
        tokenEndsAt: token.lookerEndsAt + lookerGraceMs,
        clientId: token.clientId,
      }));
  const { lease, mint } = slot;
  const minting: ListedLease[] =
    mint && tokenSha256 === undefined
      ? [
          {
            ...{ ...caller, leaseId: null, state: "minting", issuedAt: mint.since },
            ...{ endsAt: null, tokenEndsAt: null, clientId: null },
          },
        ]
      : [];
  return [
    // Of an older epoch, or past its end: not served any more, and not confirmed dead.
    ...listed(lease ? [lease] : [], "pending"),
    ...listed(slot.superseded, "superseded"),
    ...listed(slot.outbox, "pending"),
    ...minting,
  ];
}
