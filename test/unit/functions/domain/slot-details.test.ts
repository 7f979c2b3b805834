import { describe, expect, it } from "vitest";
import { configurationsKept } from "../../../../functions/domain/failures.ts";
import { decide, isServed, maxTracked, newestOf } from "../../../../functions/domain/slot.ts";
import { dropUnwanted, releaseMint, storeMinted, takeLock } from "../../../../functions/domain/slot-mint.ts";
import { ask, control, lease, lock, now, pending, slot, tracked } from "../../../support/tokens.ts";

const fresh = lease({ leaseId: "lease-of-owner-1" });

describe("the token for a configuration", () => {
  it("never belongs to another configuration", () => {
    const other = tracked("other", { digest: "two", replaced: false });
    expect(newestOf(slot({ superseded: [other] }), "digest")).toBeUndefined();
    expect(newestOf(slot({ superseded: [other] }), "two")).toEqual(other);
  });

  it("is never a pending one", () => {
    const revoked = pending("revoked");
    expect(isServed(slot({ outbox: [revoked] }), revoked, 0, now)).toBe(false);
  });
});

it("a full slot gives the reason and the time to come back", () => {
  const outbox = Array.from({ length: maxTracked }, (_, index) => pending(`pending-${index}`));
  expect(decide(slot({ outbox }), control(), ask(), now)).toEqual({
    kind: "refuse",
    code: "busy",
    retryAfterMs: 60_000,
    detail: "Too many revoked tokens await Looker's confirmation.",
  });
});

it("logins of the latest four configurations are remembered", () => {
  const others = { third: [now - 3_000], first: [now - 1_000], fourth: [now - 4_000], second: [now - 2_000] };
  const row = slot({ mintedAt: { digest: [now - 500], ...others } });
  const { next } = takeLock(row, control(), ask(), "owner-1", now);
  expect(Object.keys(next?.mintedAt ?? {})).toHaveLength(configurationsKept);
  expect(next?.mintedAt).toEqual({
    third: [now - 3_000],
    first: [now - 1_000],
    second: [now - 2_000],
    digest: [now - 500, now],
  });
});

it("a session's lease stays unless it was reported", () => {
  const row = slot({ lease: fresh });
  expect(dropUnwanted(row, { digest: "digest", staleLeaseId: "another" }, now)).toEqual({
    outcome: undefined,
  });
});

it("a token beyond the bound of its row is not stored", () => {
  const superseded = Array.from({ length: maxTracked }, (_, index) => tracked(`old-${index}`));
  const row = slot({ lease: lease(), superseded, mint: lock() });
  const { next, outcome } = storeMinted(row, "owner-1", fresh, now);
  expect(outcome).toBe("untracked");
  expect(next).toMatchObject({ lease: { leaseId: lease().leaseId }, mint: undefined });
});

describe("giving the lock back after a store with an unknown outcome", () => {
  const failure = { code: "busy" } as const;
  const given = { digest: "digest", failure, noTokenLeft: false };

  it("shares no failure if the row shows the token", () => {
    const row = slot({ lease: fresh, mint: lock() });
    const { next, outcome } = releaseMint(
      ...([row, "owner-1", { ...given, inHand: { token: fresh, ended: false } }, now] as const),
    );
    expect(outcome).toBe("stored");
    expect(next).toMatchObject({ lease: fresh, failures: [] });
  });

  it("removes only that token once Looker has ended it", () => {
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
