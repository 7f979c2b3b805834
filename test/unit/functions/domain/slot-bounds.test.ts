import fc from "fast-check";
import { expect, it } from "vitest";
import { slotItem } from "../../../../functions/adapters/rows.ts";
import { lookerLifeIsOver } from "../../../../functions/domain/lease.ts";
import { maxTracked, type Slot } from "../../../../functions/domain/slot.ts";
import {
  type FailedMint,
  releaseMint,
  storeMinted,
  takeLock,
} from "../../../../functions/domain/slot-mint.ts";
import { revoke, settle } from "../../../../functions/domain/slot-revoke.ts";
import { ask, control, lease, lock, minutes, now, pending, slot, tracked } from "../../../support/tokens.ts";

/** What DynamoDB counts: names and values in UTF-8, 3 bytes for each list or map and 1 for each of its elements. */
function dynamodbBytes(value: unknown): number {
  if (value === undefined) return 0;
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return Math.ceil(String(value).length / 2) + 1;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + 1 + dynamodbBytes(item), 3);
  return 3 + attributes(value as object, 1);
}
const attributes = (item: object, each = 0) =>
  Object.entries(item).reduce(
    (sum, [name, value]) =>
      value === undefined ? sum : sum + each + Buffer.byteLength(name) + dynamodbBytes(value),
    0,
  );

it("a full row stays under 13 KB", () => {
  const sealed = new Uint8Array(193);
  const long = {
    sealed,
    baseUrl: "https://analytics-production.eu.looker.com:19999",
    clientId: "a".repeat(20),
    digest: "d".repeat(22),
  };
  const digests = Array.from({ length: 4 }, (_, n) => String(n).repeat(22));
  const row = slot({
    lease: lease(long),
    superseded: Array.from({ length: 8 }, (_, n) => tracked(`superseded-${n}-0123456`, long)),
    outbox: Array.from({ length: 8 }, (_, n) => pending(`pending-${n}-0123456789`, long)),
    mint: lock("owner-0123456789-012"),
    names: Array.from({ length: 4 }, (_, n) => `arn:aws:iam::111122223333:role/${String(n).repeat(64)}`),
    failures: digests.map((digest) => ({
      digest,
      code: "looker_unavailable",
      detail: "Looker ".repeat(30),
      at: now,
      until: now,
      count: 7,
    })),
    mintedAt: Object.fromEntries(digests.map((digest) => [digest, Array(60).fill(now)])),
  });
  const key = { scope: "a".repeat(63), account: "111122223333", uniqueId: `AROA${"A".repeat(17)}` };
  expect(attributes(slotItem(key, row, now))).toBeLessThan(13 * 1_024);
});

type Event =
  | { kind: "take"; owner: number; stale: boolean; minTtl: number }
  | { kind: "store"; owner: number }
  | { kind: "release"; owner: number }
  | { kind: "revoke"; all: boolean }
  | { kind: "settle"; ended: boolean }
  | { kind: "wait"; ms: number };

const owner = fc.integer({ min: 0, max: 30 });
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      owner,
      stale: fc.boolean(),
      minTtl: fc.constantFrom(60_000, 440_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("store" as const), owner }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), owner }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("revoke" as const), all: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle" as const), ended: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(100, 11_000, 21_000, 8 * minutes),
    }),
  },
);

const busy: FailedMint = { digest: "digest", failure: { code: "busy" }, noTokenLeft: true };

/** API Gateway waits no longer, and no function runs longer. */
const invocationMs = 29_000;

/** Plays events on one slot: each owner takes the lock at most once; its token may come at any time while it runs. */
function play(events: readonly Event[], check: (row: Slot, story: Story) => void): void {
  let row = slot();
  const story: Story = { now, tokens: new Map(), confirmed: new Set(), untracked: new Set() };
  const since = new Map<number, number>();
  const told = new Set<number>();
  const runs = (owner: number, at: number) =>
    !told.has(owner) && at - (since.get(owner) ?? 0) <= invocationMs;
  for (const step of events) {
    const at = story.now;
    if (step.kind === "wait") story.now += step.ms;
    else if (step.kind === "take" && !since.has(step.owner)) {
      const request = ask({
        minTtlMs: step.minTtl,
        mintsPerTenMinutes: 60,
        staleLeaseId: step.stale ? row.lease?.leaseId : undefined,
      });
      const taken = takeLock(row, control(), request, `owner-${step.owner}`, at);
      if (taken.outcome.kind === "locked") since.set(step.owner, at);
      row = taken.next ?? row;
    } else if (step.kind === "store" && runs(step.owner, at)) {
      told.add(step.owner);
      const issuedAt = since.get(step.owner) ?? at;
      const token = lease({
        leaseId: `lease-${step.owner}`,
        issuedAt,
        endsAt: issuedAt + 15 * minutes,
        lookerEndsAt: issuedAt + 60 * minutes,
      });
      const stored = storeMinted(row, `owner-${step.owner}`, token, at);
      if (stored.outcome === "untracked") story.untracked.add(token.leaseId);
      story.tokens.set(token.leaseId, token);
      row = stored.next ?? row;
    } else if (step.kind === "release" && runs(step.owner, at)) {
      told.add(step.owner);
      row = releaseMint(row, `owner-${step.owner}`, busy, at).next ?? row;
    } else if (step.kind === "revoke")
      row = revoke(row, step.all ? {} : { leaseId: row.lease?.leaseId ?? "none" }, at).next ?? row;
    else if (step.kind === "settle") {
      const results = new Map(
        row.outbox.slice(0, 3).map(({ leaseId }) => [leaseId, step.ended ? "ended" : "unconfirmed"] as const),
      );
      if (step.ended) for (const id of results.keys()) story.confirmed.add(id);
      row = settle(row, results, at).next ?? row;
    }
    check(row, story);
  }
}

interface Story {
  now: number;
  readonly tokens: Map<string, ReturnType<typeof lease>>;
  readonly confirmed: Set<string>;
  readonly untracked: Set<string>;
}

const namesIn = ({ lease: current, superseded, outbox }: Slot) =>
  [...(current ? [current] : []), ...superseded, ...outbox].map(({ leaseId }) => leaseId);

it("never are more than 16 revoked or superseded tokens tracked, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) =>
      play(events, ({ superseded, outbox }) => {
        expect(superseded.length + outbox.length).toBeLessThanOrEqual(maxTracked);
      }),
    ),
    { numRuns: 500 },
  );
});

it("no token is ever forgotten before Looker confirmed or ended it, and none is listed twice", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) =>
      play(events, (row, story) => {
        const names = namesIn(row);
        expect(new Set(names).size).toBe(names.length);
        for (const [id, token] of story.tokens)
          if (!story.confirmed.has(id) && !story.untracked.has(id) && !lookerLifeIsOver(token, story.now))
            expect(names).toContain(id);
      }),
    ),
    { numRuns: 500 },
  );
});

it("16 tokens are tracked at most, though a lock was taken over before its token came", () => {
  const outbox = Array.from({ length: 14 }, (_, n) => pending(`pending-${n}`));
  const row = slot({ outbox, lease: lease({ endsAt: now + 1_000 }), mint: lock("owner-2") });
  const late = storeMinted(row, "owner-1", lease({ leaseId: "lease-of-owner-1" }), now);
  const stored = storeMinted(late.next ?? row, "owner-2", lease({ leaseId: "lease-of-owner-2" }), now);
  expect([late.outcome, stored.outcome]).toEqual(["fenced", "stored"]);
  expect([...(stored.next?.superseded ?? []), ...(stored.next?.outbox ?? [])]).toHaveLength(maxTracked);
});
