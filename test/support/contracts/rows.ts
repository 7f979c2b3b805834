/** Rows as the contract suites write them: generated ones, and the largest that there can be. */
import fc from "fast-check";
import type { Attempt, ScopeControl, SecretControl } from "../../../functions/domain/control.ts";
import type { Failure } from "../../../functions/domain/failures.ts";
import type { Lease, OutboxToken, SupersededToken } from "../../../functions/domain/lease.ts";
import { maxRetiring, type Rotation } from "../../../functions/domain/rotation.ts";
import { type Mint, maxTracked, type Slot } from "../../../functions/domain/slot.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const id = fc.stringMatching(/^[a-z0-9]{1,24}$/);
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const count = fc.nat();
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
/** 132 bits in base64url. As a key of a map it must not be empty: DynamoDB refuses such an item, dynalite does not. */
const digest = fc.stringMatching(/^[\w-]{22}$/);
const callerArn = fc.stringMatching(/^arn:aws:iam::[0-9]{12}:(?:role|user)\/[A-Za-z0-9+=,.@_-]{1,64}$/);

const trackedFields = {
  leaseId: id,
  sealed: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  baseUrl: fc.webUrl(),
  clientId: text,
  issuedAt: time,
  endsAt: time,
  lookerEndsAt: time,
  epoch: count,
  tokenSha256: sha256,
  digest: text,
};
const lease: fc.Arbitrary<Lease> = fc.record(trackedFields);
const superseded: fc.Arbitrary<SupersededToken> = fc.record({ ...trackedFields, replaced: fc.boolean() });
const outboxToken: fc.Arbitrary<OutboxToken> = fc.record({
  ...trackedFields,
  since: time,
  attempts: count,
  retryAt: time,
});
const mint: fc.Arbitrary<Mint> = fc.record({
  owner: id,
  since: time,
  until: time,
  epoch: count,
  doomed: fc.boolean(),
});
const failure: fc.Arbitrary<Failure> = fc.record(
  {
    digest: text,
    code: fc.constantFrom("looker_rejected_credentials", "looker_unavailable", "busy"),
    detail: text,
    at: time,
    until: time,
    count,
  },
  { requiredKeys: ["digest", "code", "at", "until", "count"] },
);

export const anySlot: fc.Arbitrary<Slot> = fc.record(
  {
    version: fc.integer({ min: 1 }),
    writeId: id,
    names: fc.array(callerArn, { maxLength: 4 }),
    lease,
    superseded: fc.array(superseded, { maxLength: 4 }),
    outbox: fc.array(outboxToken, { maxLength: 4 }),
    mint,
    failures: fc.array(failure, { maxLength: 4 }),
    mintedAt: fc.dictionary(digest, fc.array(time, { maxLength: 10 }), { maxKeys: 4, noNullPrototype: true }),
  },
  { requiredKeys: ["version", "writeId", "names", "superseded", "outbox", "failures", "mintedAt"] },
);

export const anyScopeControl: fc.Arbitrary<ScopeControl> = fc.record(
  {
    version: fc.integer({ min: 1 }),
    writeId: id,
    epoch: count,
    frozen: fc.record({ by: text, at: time, reason: text }),
    job: fc.record({ epoch: count, at: time, nextPartition: fc.nat(16) }),
  },
  { requiredKeys: ["version", "writeId", "epoch"] },
);

const attempt: fc.Arbitrary<Attempt> = fc.record({
  versionId: fc.uuid(),
  baseUrl: fc.webUrl(),
  state: fc.constantFrom("trying", "worked", "rejected"),
  owner: id,
  at: time,
  until: time,
  clientId: text,
});
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const rotation: fc.Arbitrary<Rotation> = fc.record({
  lock: optional(fc.record({ owner: id, until: time })),
  created: optional(
    fc.record({
      ...{ versionId: text, userId: text, replaces: text },
      ...{ at: time, before: fc.array(text), pairId: optional(text) },
    }),
  ),
  retiring: fc.array(
    fc.record({
      ...{ clientId: text, userId: text, versionId: text, queuedAt: time },
      ...{ movedAt: optional(time), deletedAt: optional(time) },
      denied: optional(
        fc.record({ at: time, by: fc.constantFrom("operator" as const, "rotation" as const) }),
      ),
    }),
    { maxLength: maxRetiring },
  ),
});

export const anySecretControl: fc.Arbitrary<SecretControl> = fc.record({
  version: fc.integer({ min: 1 }),
  writeId: id,
  attempts: fc.array(attempt, { maxLength: 8 }),
  throttles: fc.array(fc.record({ baseUrl: fc.webUrl(), until: time }), { maxLength: 3 }),
  deniedClientIds: fc.array(text, { maxLength: 5 }),
  rotation: optional(rotation),
});

/** A configuration's: 132 bits in base64url. */
export const someDigest = "abcdefghijklmnopqrstuv";

/** A token whose ciphertext is as long as KMS makes it of Looker's forty characters. */
export function someLease(leaseId: string, now: number): Lease {
  return {
    leaseId: leaseId.padEnd(20, "0"),
    sealed: new Uint8Array(193).fill(7),
    baseUrl: "https://a-company-with-a-name.cloud.looker.com",
    clientId: "abcdefghijklmnopqrst",
    issuedAt: now,
    endsAt: now + 900_000,
    lookerEndsAt: now + 3_600_000,
    epoch: 12,
    tokenSha256: "ab".repeat(32),
    digest: someDigest,
  };
}

export const someSupersededToken = (leaseId: string, now: number): SupersededToken => ({
  ...someLease(leaseId, now),
  replaced: true,
});

export const someOutboxToken = (leaseId: string, now: number): OutboxToken => ({
  ...someLease(leaseId, now),
  since: now,
  attempts: 3,
  retryAt: now,
});

/** The largest slot: as many tokens as are tracked at most, in the longer of their forms, and four configurations. */
export function fullSlot(callerArn: string, now: number): Slot {
  const configurations = Array.from({ length: 4 }, (_, index) => someDigest.replace("a", `${index}`));
  return {
    version: 1,
    writeId: "0123456789abcdef0123",
    names: Array.from({ length: 4 }, (_, index) => callerArn.padEnd(95, `${index}`)),
    lease: someLease("lease", now),
    superseded: [],
    outbox: Array.from({ length: maxTracked }, (_, index) => someOutboxToken(`token${index}`, now)),
    mint: { owner: "0123456789abcdef0123", since: now, until: now + 15_000, epoch: 12, doomed: true },
    failures: configurations.map((digest) => ({
      digest,
      code: "looker_rejected_credentials",
      detail: "x".repeat(200),
      at: now,
      until: now + 30_000,
      count: 9,
    })),
    mintedAt: Object.fromEntries(
      configurations.map((digest) => [digest, Array.from({ length: 10 }, (_, index) => now - index)]),
    ),
  };
}
