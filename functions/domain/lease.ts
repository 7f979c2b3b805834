/**
 * Leases and the tokens that outlive them. All times are epoch milliseconds, all spans milliseconds.
 */
import { createHash } from "node:crypto";
import { digestOf } from "./digest.ts";
import type { Scope } from "./scope.ts";

/** Instances agree on the time within this (Amazon Time Sync); a larger skew costs logins, never a promise. */
export const clockSkewMs = 5_000;

/**
 * Looker must answer `/login` within this. It is under the slot's lock, so that a login ends before its lock does.
 */
export const loginTimeoutMs = 8_000;

/** A Looker token that is tracked until its end is confirmed, or its Looker life is over. */
export interface TrackedToken {
  /** A name, not a capability. */
  readonly leaseId: string;
  /** The token under KMS, bound by the encryption context to everything that identifies it. */
  readonly sealed: Uint8Array;
  /** Hex SHA-256 of the token: all that records may show of it. */
  readonly tokenSha256: string;
  readonly baseUrl: string;
  readonly clientId: string;
  /** When the lock was taken under which the token was made: no token is older than this says. */
  readonly issuedAt: number;
  /** When the lease ends and the token is to be logged out: the scope's word or Looker's, whichever is earlier. */
  readonly endsAt: number;
  /** When Looker ends the token by itself. */
  readonly lookerEndsAt: number;
  /** The scope's epoch when the token was asked for; leases of an older epoch are not served. */
  readonly epoch: number;
  /** {@link configurationDigest} at the mint: only requests of the same configuration are served it. */
  readonly digest: string;
}

/** The latest token that was stored. */
export type Lease = TrackedToken;

/** A token that a later one took the place of as the slot's lease. */
export interface SupersededToken extends TrackedToken {
  /**
   * The later one is of the same configuration. This one is never served again; without the mark it goes on serving its own
   * configuration, as during a deployment.
   */
  readonly replaced: boolean;
}

/** A revoked token whose end Looker has not confirmed. */
export interface OutboxToken extends TrackedToken {
  /** Since when it is to be dead. */
  readonly since: number;
  /** Logouts tried so far. */
  readonly attempts: number;
  /** Not tried again before this. */
  readonly retryAt: number;
}

/** What a lease depends on in its scope's definition. */
export function configurationDigest(scope: Pick<Scope, "baseUrl" | "secretId">): string {
  return digestOf(`${scope.baseUrl}\n${scope.secretId}`);
}

/**
 * When one request should renew the lease ahead of its end: 75 to 85 % of its life, fixed by its id, so that a
 * fleet whose leases began together does not renew them together.
 */
export function refreshAt(lease: Pick<Lease, "leaseId" | "issuedAt" | "endsAt">): number {
  const spread = createHash("sha256").update(lease.leaseId).digest().readUInt16BE(0) / 0xffff;
  return lease.issuedAt + Math.floor((lease.endsAt - lease.issuedAt) * (0.75 + 0.1 * spread));
}

/**
 * How long after `lookerEndsAt` a token may be alive. That counts from before the login, so that nothing is served too long;
 * Looker's own count began up to the login's time-out later, by whichever clock is right.
 */
export const lookerGraceMs = loginTimeoutMs + clockSkewMs;

/** Whether Looker has certainly ended the token by itself. */
export function lookerLifeIsOver(token: TrackedToken, now: number): boolean {
  return token.lookerEndsAt + lookerGraceMs <= now;
}

/** Back-off of logouts: 15 s, 30 s, … up to 5 min. Never gives up; the token's Looker life is the bound. */
export function nextLogoutAt(attempts: number, now: number): number {
  return now + Math.min(15_000 * 2 ** Math.min(attempts, 10), 300_000);
}
