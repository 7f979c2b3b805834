import { describe, expect, it } from "vitest";
import { configurationsKept } from "../../../../functions/domain/failures.ts";
import { decide, isServed, maxTracked, newestOf } from "../../../../functions/domain/slot.ts";
import { dropUnwanted, releaseMint, storeMinted, takeLock } from "../../../../functions/domain/slot-mint.ts";
import { ask, control, lease, lock, now, pending, slot, tracked } from "../../../support/tokens.ts";

const fresh = lease({ leaseId: "lease-of-owner-1" });

describe("the token to be served to a configuration", () => {
  it("is never one of another configuration, however new", () => {
    const other = tracked("other", { digest: "two", replaced: false });
    expect(newestOf(slot({ superseded: [other] }), "digest")).toBeUndefined();
    expect(newestOf(slot({ superseded: [other] }), "two")).toEqual(other);
  });

  it("is never a pending one, even where the slot has no other", () => {
    const revoked = pending("revoked");
    expect(isServed(slot({ outbox: [revoked] }), revoked, 0, now)).toBe(false);
  });
});

it("a full slot says why, and when to come back", () => {
  const outbox = Array.from({ length: maxTracked }, (_, index) => pending(`pending-${index}`));
  expect(decide(slot({ outbox }), control(), ask(), now)).toEqual({
    kind: "refuse",
    code: "busy",
    retryAfterMs: 60_000,
    detail: "Too many revoked tokens await Looker's confirmation.",
  });
});

it("a slot remembers the logins of the latest configurations", () => {
  const others = { third: [now - 3_000], first: [now - 1_000], fourth: [now - 4_000], second: [now - 2_000] };
  const row = slot({ mintedAt: { digest: [now - 5_000], ...others } });
  const { next } = takeLock(row, control(), ask(), "owner-1", now);
  expect(Object.keys(next?.mintedAt ?? {})).toHaveLength(configurationsKept);
  expect(next?.mintedAt).toEqual({
    third: [now - 3_000],
    first: [now - 1_000],
    second: [now - 2_000],
    digest: [now - 5_000, now],
  });
});

it("a session's lease stays where nobody reported it, and nothing is written", () => {
  const row = slot({ lease: fresh });
  expect(dropUnwanted(row, { digest: "digest", staleLeaseId: "another" }, now)).toEqual({
    outcome: undefined,
  });
});

it("a token beyond the bound of its row is not stored, but is to be ended at once", () => {
  const superseded = Array.from({ length: maxTracked }, (_, index) => tracked(`old-${index}`));
  const row = slot({ lease: lease(), superseded, mint: lock() });
  const { next, outcome } = storeMinted(row, "owner-1", fresh, now);
  expect(outcome).toBe("untracked");
  expect(next).toMatchObject({ lease: { leaseId: lease().leaseId }, mint: undefined });
});

describe("a lock given back with a token whose store stayed unknown", () => {
  const failure = { code: "busy" } as const;
  const given = { digest: "digest", failure, noTokenLeft: false };

  it("shares no failure where the row shows the token, because the token is served", () => {
    const row = slot({ lease: fresh, mint: lock() });
    const { next, outcome } = releaseMint(
      ...([row, "owner-1", { ...given, inHand: { token: fresh, ended: false } }, now] as const),
    );
    expect(outcome).toBe("stored");
    expect(next).toMatchObject({ lease: fresh, failures: [] });
  });

  it("takes out this token alone where Looker has ended it", () => {
    const inHand = { token: fresh, ended: true };
    const rest = { superseded: [tracked("old")], outbox: [pending("pending")] };
    const asLease = releaseMint(slot({ lease: fresh, ...rest }), "owner-2", { ...given, inHand }, now);
    expect(asLease.next).toMatchObject({ lease: undefined, ...rest });
    const replaced = slot({
      lease: lease(),
      ...rest,
      superseded: [...rest.superseded, tracked(fresh.leaseId)],
    });
    expect(releaseMint(replaced, "owner-2", { ...given, inHand }, now).next).toMatchObject({
      lease: lease(),
      ...rest,
    });
  });
});
