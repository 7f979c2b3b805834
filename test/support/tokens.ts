/** Rows to begin from. */
import { newScopeControl, type ScopeControl } from "../../functions/domain/control.ts";
import type { Failure } from "../../functions/domain/failures.ts";
import type { Lease, OutboxToken, SupersededToken } from "../../functions/domain/lease.ts";
import { type Ask, emptySlot, lockMs, type Slot } from "../../functions/domain/slot.ts";

export const now = 1_700_000_000_000;
export const minutes = 60_000;
export const callerArn = "arn:aws:iam::111122223333:role/report-service";

/** A fresh lease of 15 minutes, of a token of an hour. */
export const lease = (changes: Partial<Lease> = {}): Lease => ({
  leaseId: "lease-0000000001",
  sealed: new Uint8Array([1, 2, 3]),
  tokenSha256: "ab".repeat(32),
  baseUrl: "https://example.cloud.looker.com",
  clientId: "clientOne",
  issuedAt: now,
  endsAt: now + 15 * minutes,
  lookerEndsAt: now + 60 * minutes,
  epoch: 0,
  digest: "digest",
  ...changes,
});

export const tracked = (leaseId: string, changes: Partial<SupersededToken> = {}): SupersededToken => ({
  ...lease({ leaseId, ...changes }),
  replaced: true,
  ...changes,
});

export const pending = (leaseId: string, changes: Partial<OutboxToken> = {}): OutboxToken => ({
  ...lease({ leaseId, ...changes }),
  since: now,
  attempts: 0,
  retryAt: now,
  ...changes,
});

export const slot = (changes: Partial<Slot> = {}): Slot => ({
  ...emptySlot,
  names: [callerArn],
  version: 1,
  writeId: "write-0000000001",
  ...changes,
});

export const control = (changes: Partial<ScopeControl> = {}): ScopeControl => ({
  ...newScopeControl,
  ...changes,
});

export const ask = (changes: Partial<Ask> = {}): Ask => ({
  callerArn,
  minTtlMs: 60_000,
  digest: "digest",
  mintsPerTenMinutes: 10,
  mayMint: true,
  ...changes,
});

export const lock = (owner = "owner-1", changes: Partial<NonNullable<Slot["mint"]>> = {}) => ({
  owner,
  since: now,
  until: now + lockMs,
  epoch: 0,
  doomed: false,
  ...changes,
});

/** Of the configuration that {@link ask} asks for. */
export const failure = (changes: Partial<Failure> = {}): Failure => ({
  digest: "digest",
  code: "looker_unavailable",
  at: now,
  until: now + 1_000,
  count: 1,
  ...changes,
});
