/** Rows to begin from. */
import { newScopeControl, type ScopeControl } from "../../../../functions/domain/control.ts";
import type { Lease, OutboxToken, TrackedToken } from "../../../../functions/domain/lease.ts";
import { type Ask, emptySlot, lockMs, type Slot } from "../../../../functions/domain/slot.ts";

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

export function tracked(leaseId: string, changes: Partial<TrackedToken> = {}): TrackedToken {
  const { tokenSha256: _, digest: __, ...token } = lease({ leaseId, ...changes });
  return token;
}

export const pending = (leaseId: string, changes: Partial<OutboxToken> = {}): OutboxToken => ({
  ...tracked(leaseId, changes),
  since: now,
  attempts: 0,
  retryAt: now,
  ...changes,
});

export const slot = (changes: Partial<Slot> = {}): Slot => ({
  ...emptySlot(callerArn),
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
  doomed: false,
  ...changes,
});
