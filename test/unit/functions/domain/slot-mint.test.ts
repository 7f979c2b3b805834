import { describe, expect, it } from "vitest";
import { clockSkewMs } from "../../../../functions/domain/lease.ts";
import {
  lockMs,
  maxTracked,
  mintWindowMs,
  releaseMint,
  type Slot,
  type Step,
  storeMinted,
  takeLock,
} from "../../../../functions/domain/slot.ts";
import { ask, control, lease, lock, minutes, now, pending, slot } from "../use-cases/tokens.ts";

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
    expect(next).toMatchObject({ mint: lock(), mintedAt: [now] });
    expect(next?.mint?.until).toBe(now + 15_000);
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
    const row = slot({ mintedAt: [now - mintWindowMs, now - mintWindowMs + 1] });
    expect(nextOf(take(row)).mintedAt).toEqual([now - mintWindowMs + 1, now]);
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
    const failure = { code: "busy", at: now, until: now, count: 3 } as const;
    const { next, outcome } = storeMinted(slot({ mint: lock(), failure }), "owner-1", fresh, now);
    expect(outcome).toBe("stored");
    expect(next).toMatchObject({ lease: fresh, outbox: [], superseded: [] });
    expect(next?.mint).toBeUndefined();
    expect(next?.failure).toBeUndefined();
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
  const failed = { code: "looker_unavailable" } as const;

  it("shares the failure", () => {
    const next = nextOf(releaseMint(slot({ mint: lock() }), "owner-1", failed, now));
    expect(next.mint).toBeUndefined();
    expect(next.failure).toMatchObject({ code: "looker_unavailable", at: now, until: now + 1_000, count: 1 });
  });

  it("backs off further with each failure in a row, but never beyond half a minute", () => {
    let row = slot();
    const waits = Array.from({ length: 12 }, () => {
      row = nextOf(releaseMint({ ...row, mint: lock() }, "owner-1", failed, now));
      return (row.failure?.until ?? 0) - now;
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
