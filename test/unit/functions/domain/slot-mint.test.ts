import { describe, expect, it } from "vitest";
import { clockSkewMs } from "../../../../functions/domain/lease.ts";
import { lockMs, maxTracked, mintWindowMs, type Slot, type Step } from "../../../../functions/domain/slot.ts";
import {
  type FailedMint,
  releaseMint,
  storeMinted,
  takeLock,
} from "../../../../functions/domain/slot-mint.ts";
import { ask, control, failure, lease, lock, minutes, now, pending, slot } from "../../../support/tokens.ts";

function nextOf<Outcome>(step: Step<Slot, Outcome>): Slot {
  if (!step.next) throw new Error("the transition writes nothing");
  return step.next;
}
const take = (row: Slot, owner = "owner-1", request = ask(), at = now) =>
  takeLock(row, control(), request, owner, at);
const fresh = lease({ leaseId: "lease-of-owner-1" });

describe("taking the lock", () => {
  it("spends the budget and names the owner", () => {
    const { next, outcome } = take(slot());
    expect(outcome).toEqual({ kind: "locked", mint: lock(), possibleOrphan: false });
    expect(next).toMatchObject({ mint: lock(), mintedAt: { digest: [now] } });
    expect(lock().until - now).toBe(lockMs);
  });

  it("twice is taking it once", () => {
    const locked = nextOf(take(slot()));
    expect(take(locked, "owner-1", ask(), now + 50)).toEqual({
      outcome: { kind: "locked", mint: lock(), possibleOrphan: false },
    });
  });

  it("is refused to everybody else while it stands", () => {
    expect(take(nextOf(take(slot())), "owner-2", ask(), now + 50)).toEqual({ outcome: { kind: "changed" } });
  });

  it("is refused when a lease was stored meanwhile", () => {
    expect(take(slot({ lease: lease() }))).toEqual({ outcome: { kind: "changed" } });
  });

  it("over one that ran out counts a possible orphan", () => {
    const late = now + lockMs + clockSkewMs;
    const { next, outcome } = take(slot({ mint: lock("owner-0") }), "owner-1", ask(), late);
    expect(outcome).toMatchObject({ kind: "locked", possibleOrphan: true });
    expect(next?.mint?.owner).toBe("owner-1");
  });

  it("forgets logins that have left the window", () => {
    const row = slot({ mintedAt: { digest: [now - mintWindowMs, now - mintWindowMs + 1] } });
    expect(nextOf(take(row)).mintedAt).toEqual({ digest: [now - mintWindowMs + 1, now] });
  });

  it.each([
    ["reported stale", { staleLeaseId: fresh.leaseId }],
    ["unreadable", { unreadableLeaseId: fresh.leaseId }],
  ])("puts a lease that was %s into the outbox, due at once", (_, request) => {
    const at = now + minutes;
    const next = nextOf(take(slot({ lease: fresh }), "owner-1", ask(request), at));
    expect(next.lease).toBeUndefined();
    expect(next.outbox).toMatchObject([{ leaseId: fresh.leaseId, attempts: 0, retryAt: at }]);
  });

  it("keeps a lease that was reported stale within its first ten seconds, though it is too short for this request", () => {
    const short = lease({ endsAt: now + 50_000 });
    const request = ask({ staleLeaseId: short.leaseId });
    expect(nextOf(take(slot({ lease: short }), "owner-1", request, now + 5_000)).lease).toEqual(short);
  });

  it("keeps the old lease while it is renewed ahead", () => {
    const at = now + 14 * minutes;
    expect(nextOf(take(slot({ lease: fresh }), "owner-1", ask(), at)).lease).toEqual(fresh);
  });
});

describe("storing the token", () => {
  it("under the lock makes it the lease and gives the lock back", () => {
    const failures = [failure({ count: 3 })];
    const { next, outcome } = storeMinted(slot({ mint: lock(), failures }), "owner-1", fresh, now);
    expect(outcome).toBe("stored");
    expect(next).toMatchObject({ lease: fresh, outbox: [], superseded: [] });
    expect(next?.mint).toBeUndefined();
    expect(next?.failures).toEqual([]);
  });

  it("supersedes the old lease, which is tracked until its own end", () => {
    const next = nextOf(storeMinted(slot({ mint: lock(), lease: lease() }), "owner-1", fresh, now));
    expect(next.superseded).toMatchObject([{ leaseId: lease().leaseId, endsAt: lease().endsAt }]);
  });

  it("sends an old lease that has ended to the outbox", () => {
    const row = slot({ mint: lock(), lease: lease({ endsAt: now }) });
    expect(nextOf(storeMinted(row, "owner-1", fresh, now)).outbox).toMatchObject([
      { leaseId: lease().leaseId },
    ]);
  });

  it.each<[string, Slot]>([
    ["another took over", slot({ mint: lock("owner-2") })],
    ["it was given back", slot()],
    ["a revocation doomed it", slot({ mint: lock("owner-1", { doomed: true }) })],
    ["the row is gone", { ...slot(), version: 0 }],
  ])("fences it when the lock is not one's own any more: %s", (_, row) => {
    const { next, outcome } = storeMinted(row, "owner-1", fresh, now);
    expect(outcome).toBe("fenced");
    expect(next?.lease).toEqual(row.lease);
    expect(next?.outbox).toMatchObject([{ leaseId: fresh.leaseId, retryAt: now }]);
  });

  it("leaves another's lock alone", () => {
    expect(nextOf(storeMinted(slot({ mint: lock("owner-2") }), "owner-1", fresh, now)).mint?.owner).toBe(
      "owner-2",
    );
  });

  it("gives a doomed lock back", () => {
    const doomed = slot({ mint: lock("owner-1", { doomed: true }) });
    expect(nextOf(storeMinted(doomed, "owner-1", fresh, now)).mint).toBeUndefined();
  });

  it.each<[string, Slot, string]>([
    ["under the lock", slot({ mint: lock(), lease: lease() }), "stored"],
    ["fenced", slot({ mint: lock("owner-2") }), "fenced"],
  ])("twice is storing it once: %s", (_, row, expected) => {
    const next = nextOf(storeMinted(row, "owner-1", fresh, now));
    expect(storeMinted(next, "owner-1", fresh, now + 10)).toEqual({ outcome: expected });
  });

  it("twice is storing it once, though it was superseded in between", () => {
    const stored = nextOf(storeMinted(slot({ mint: lock() }), "owner-1", fresh, now));
    const renewed = nextOf(
      storeMinted({ ...stored, mint: lock("owner-2") }, "owner-2", lease({ leaseId: "next" }), now),
    );
    expect(storeMinted(renewed, "owner-1", fresh, now + 10)).toEqual({ outcome: "stored" });
  });

  it("says so when there is no room to track a fenced token", () => {
    const outbox = Array.from({ length: maxTracked }, (_, n) => pending(`pending-${n}`));
    expect(storeMinted(slot({ outbox, mint: lock("owner-2") }), "owner-1", fresh, now)).toEqual({
      outcome: "untracked",
    });
  });
});

describe("giving the lock back without a token", () => {
  const failed: FailedMint = {
    digest: "digest",
    failure: { code: "looker_unavailable" },
    noTokenLeft: true,
  };

  it("shares the failure", () => {
    const next = nextOf(releaseMint(slot({ mint: lock() }), "owner-1", failed, now));
    expect(next.mint).toBeUndefined();
    expect(next.failures).toEqual([failure({ until: now + 1_000, count: 1 })]);
  });

  it("backs off further with each failure in a row, but never beyond half a minute", () => {
    let row = slot();
    const waits = Array.from({ length: 12 }, () => {
      row = nextOf(releaseMint({ ...row, mint: lock() }, "owner-1", failed, now));
      return (row.failures[0]?.until ?? 0) - now;
    });
    expect(waits.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    expect(waits.at(-1)).toBe(30_000);
  });

  it("keeps an old lease", () => {
    expect(nextOf(releaseMint(slot({ mint: lock(), lease: lease() }), "owner-1", failed, now)).lease).toEqual(
      lease(),
    );
  });

  it("twice counts the failure once", () => {
    const next = nextOf(releaseMint(slot({ mint: lock() }), "owner-1", failed, now));
    expect(releaseMint(next, "owner-1", failed, now + 10)).toEqual({ outcome: undefined });
  });

  it("is nobody else's to do", () => {
    expect(releaseMint(slot({ mint: lock("owner-2") }), "owner-1", failed, now)).toEqual({
      outcome: undefined,
    });
  });
});

describe("giving the lock back with a token in hand", () => {
  const inHand = (ended: boolean): FailedMint => ({
    digest: "digest",
    failure: { code: "busy" },
    noTokenLeft: ended,
    inHand: { token: fresh, ended },
  });
  const mine = slot({ mint: lock(), mintedAt: { digest: [now] } });
  const stored = nextOf(storeMinted(mine, "owner-1", fresh, now));

  it("that the row does not show puts it into the outbox, due at once", () => {
    const { next, outcome } = releaseMint(mine, "owner-1", inHand(false), now + 5);
    expect(outcome).toBe("fenced");
    expect(next).toMatchObject({ lease: undefined, outbox: [{ leaseId: fresh.leaseId, retryAt: now + 5 }] });
    expect(next?.mint).toBeUndefined();
    expect(next?.failures).toMatchObject([{ code: "busy", count: 1 }]);
  });

  it("that the row shows as its lease leaves it, and is no failure", () => {
    expect(releaseMint(stored, "owner-1", inHand(false), now)).toEqual({ outcome: "stored" });
    // Its store and another's lock: the answer was lost, and the failure of this login is not the other's.
    const locked = { ...stored, mint: lock("owner-2") };
    expect(releaseMint(locked, "owner-1", inHand(false), now)).toEqual({ outcome: "stored" });
  });

  it("that the row shows in the outbox leaves it there", () => {
    const fenced = nextOf(storeMinted(slot({ mint: lock("owner-2") }), "owner-1", fresh, now));
    expect(releaseMint(fenced, "owner-1", inHand(false), now)).toEqual({ outcome: "fenced" });
  });

  it("that was superseded in between leaves it tracked", () => {
    const renewed = nextOf(
      storeMinted({ ...stored, mint: lock("owner-2") }, "owner-2", lease({ leaseId: "next" }), now),
    );
    expect(releaseMint(renewed, "owner-1", inHand(false), now)).toEqual({ outcome: "stored" });
  });

  it("that Looker has ended tracks nothing, and gives the budget its own back", () => {
    const { next, outcome } = releaseMint(mine, "owner-1", inHand(true), now);
    expect(outcome).toBeUndefined();
    expect(next).toMatchObject({ lease: undefined, outbox: [], superseded: [], mintedAt: { digest: [] } });
  });

  it.each<[string, Slot]>([
    ["its lease", stored],
    ["its lease, under another's lock", { ...stored, mint: lock("owner-2") }],
    ["in the outbox", nextOf(storeMinted(slot({ mint: lock("owner-2") }), "owner-1", fresh, now))],
    [
      "superseded",
      nextOf(storeMinted({ ...stored, mint: lock("owner-2") }, "owner-2", lease({ leaseId: "next" }), now)),
    ],
  ])("that Looker has ended, and the row shows all the same (%s), takes it away", (_, row) => {
    const next = nextOf(releaseMint(row, "owner-1", inHand(true), now));
    const left = [...(next.lease ? [next.lease] : []), ...next.superseded, ...next.outbox];
    expect(left.map(({ leaseId }) => leaseId)).not.toContain(fresh.leaseId);
    expect(next.mint?.owner).toBe(row.mint?.owner);
  });

  it("tracks it though the lock is another's by now", () => {
    const next = nextOf(releaseMint(slot({ mint: lock("owner-2") }), "owner-1", inHand(false), now));
    expect(next).toMatchObject({
      mint: { owner: "owner-2" },
      outbox: [{ leaseId: fresh.leaseId }],
      failures: [],
    });
  });

  it("says so when there is no room to track it", () => {
    const outbox = Array.from({ length: maxTracked }, (_, n) => pending(`pending-${n}`));
    const { next, outcome } = releaseMint(slot({ outbox, mint: lock() }), "owner-1", inHand(false), now);
    expect(outcome).toBe("untracked");
    expect(next?.outbox).toHaveLength(maxTracked);
  });

  it.each([false, true])("twice is once: ended %s", (ended) => {
    const next = nextOf(releaseMint(mine, "owner-1", inHand(ended), now));
    expect(releaseMint(next, "owner-1", inHand(ended), now + 10).next).toBeUndefined();
  });
});
