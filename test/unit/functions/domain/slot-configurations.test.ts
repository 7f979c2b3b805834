import { describe, expect, it } from "vitest";
import { addName, decide, isServed, mintWindowMs, type Slot } from "../../../../functions/domain/slot.ts";
import {
  type FailedMint,
  releaseMint,
  storeMinted,
  takeLock,
} from "../../../../functions/domain/slot-mint.ts";
import {
  ask,
  callerArn,
  control,
  failure,
  lease,
  lock,
  minutes,
  now,
  slot,
  tracked,
} from "../../../support/tokens.ts";

const a = (leaseId: string, changes = {}) => lease({ leaseId, digest: "a", ...changes });
const b = (leaseId: string, changes = {}) => lease({ leaseId, digest: "b", ...changes });
const askA = (changes = {}) => ask({ digest: "a", ...changes });

/** Stores leases one after the other, each under a lock of its own. */
function stored(...leases: ReturnType<typeof lease>[]): Slot {
  let row = slot();
  for (const each of leases) row = storeMinted({ ...row, mint: lock() }, "owner-1", each, now).next ?? row;
  return row;
}

describe("a token of another configuration than the lease's", () => {
  it("goes on serving its own", () => {
    const row = stored(a("a-1"), b("b-1"));
    expect(decide(row, control(), askA(), now)).toMatchObject({ kind: "serve", lease: { leaseId: "a-1" } });
    expect(decide(row, control(), ask({ digest: "b" }), now)).toMatchObject({
      kind: "serve",
      lease: { leaseId: "b-1" },
    });
  });

  it("is refreshed ahead like the lease, by its own moment", () => {
    const row = stored(a("a-1"), b("b-1"));
    expect(decide(row, control(), askA(), now + 14 * minutes).kind).toBe("mint");
  });

  it("is not served in another epoch, nor past its end, nor with too little left", () => {
    const row = stored(a("a-1"), b("b-1"));
    expect(decide(row, control({ epoch: 1 }), askA(), now).kind).toBe("mint");
    expect(decide(row, control(), askA(), now + 15 * minutes).kind).toBe("mint");
    expect(decide(row, control(), askA({ minTtlMs: 15 * minutes + 1 }), now).kind).toBe("mint");
  });

  it("that is reported stale goes to the outbox with the lock, and the other's stays", () => {
    const at = now + minutes;
    const row = stored(a("a-1"), b("b-1"));
    const { next } = takeLock(row, control(), askA({ staleLeaseId: "a-1" }), "owner-1", at);
    expect(next).toMatchObject({ lease: { leaseId: "b-1" }, superseded: [], outbox: [{ leaseId: "a-1" }] });
  });

  it("cannot be reported stale, nor called unreadable, by the other configuration", () => {
    const at = now + minutes;
    const row = stored(a("a-1"), b("b-1"));
    const wrong = { staleLeaseId: "b-1", unreadableLeaseId: "b-1", minTtlMs: 14.5 * minutes };
    const { next } = takeLock(row, control(), askA(wrong), "owner-1", at);
    expect(next?.lease).toMatchObject({ leaseId: "b-1" });
    expect(next?.outbox).toEqual([]);
  });
});

describe("a token that a later one of its configuration replaced", () => {
  it("is marked, and keeps the mark when another configuration stores", () => {
    expect(stored(a("a-1"), a("a-2"), b("b-1")).superseded).toMatchObject([
      { leaseId: "a-1", replaced: true },
      { leaseId: "a-2", replaced: false },
    ]);
  });

  it("is marked though another configuration's stood in between", () => {
    expect(stored(a("a-1"), b("b-1"), a("a-2")).superseded).toMatchObject([
      { leaseId: "a-1", replaced: true },
      { leaseId: "b-1", replaced: false },
    ]);
  });

  it.each<[string, Slot, object]>([
    ["is stale", stored(a("a-1"), a("a-2")), { staleLeaseId: "a-2" }],
    ["cannot be unsealed", stored(a("a-1"), a("a-2")), { unreadableLeaseId: "a-2" }],
    ["was revoked", slot({ superseded: [tracked("a-1", { digest: "a" })] }), {}],
    ["is of another configuration", stored(a("a-1"), a("a-2"), b("b-1")), { unreadableLeaseId: "a-2" }],
  ])("is never served, also where the newest %s", (_, row, request) => {
    expect(decide(row, control(), askA(request), now + minutes).kind).toBe("mint");
  });

  it.each([
    ["a-1", false],
    ["a-2", true],
    ["b-1", true],
  ])("is not told to be live: %s %s", (leaseId, live) => {
    const row = stored(a("a-1"), a("a-2"), b("b-1"));
    const token = [...row.superseded, ...(row.lease ? [row.lease] : [])].find(
      (each) => each.leaseId === leaseId,
    );
    expect(token && isServed(row, token, 0, now)).toBe(live);
    expect(token && isServed(row, token, 1, now)).toBe(false);
    expect(token && isServed(row, token, 0, now + 15 * minutes)).toBe(false);
  });
});

describe("failures and budgets", () => {
  const failed = (digest: string): FailedMint => ({
    digest,
    failure: { code: "looker_unavailable" },
    noTokenLeft: true,
  });
  const releaseAs = (row: Slot, digest: string) =>
    releaseMint({ ...row, mint: lock() }, "owner-1", failed(digest), now).next ?? row;

  it("are those of the configuration that asks", () => {
    const row = slot({ failures: [failure({ digest: "b", until: now + minutes })] });
    expect(decide(row, control(), ask({ digest: "b" }), now).kind).toBe("refuse");
    expect(decide(row, control(), askA(), now).kind).toBe("mint");
    const spent = slot({ mintedAt: { b: Array(10).fill(now) } });
    expect(decide(spent, control(), ask({ digest: "b" }), now).kind).toBe("refuse");
    expect(decide(spent, control(), askA(), now).kind).toBe("mint");
  });

  it("count each configuration's own in a row", () => {
    let row = releaseAs(slot(), "a");
    row = releaseAs(row, "b");
    row = releaseAs(row, "a");
    expect(row.failures).toMatchObject([
      { digest: "b", count: 1, until: now + 1_000 },
      { digest: "a", count: 2, until: now + 2_000 },
    ]);
  });

  it("are forgotten by a store of their own configuration alone", () => {
    const row = slot({ mint: lock(), failures: [failure({ digest: "a" }), failure({ digest: "b" })] });
    expect(storeMinted(row, "owner-1", a("a-1"), now).next?.failures).toMatchObject([{ digest: "b" }]);
  });

  it("are kept of the last four configurations", () => {
    const row = ["a", "b", "c", "d", "e"].reduce(releaseAs, slot());
    expect(row.failures.map(({ digest }) => digest)).toEqual(["b", "c", "d", "e"]);
    let spending = slot();
    for (const [index, digest] of ["a", "b", "c", "d", "e"].entries()) {
      const at = now + index;
      const { next } = takeLock({ ...spending, mint: undefined }, control(), ask({ digest }), "owner-1", at);
      spending = next ?? spending;
    }
    expect(Object.keys(spending.mintedAt).sort()).toEqual(["b", "c", "d", "e"]);
  });

  it("of a configuration that has not logged in for ten minutes are forgotten", () => {
    const row = slot({ mintedAt: { old: [now - mintWindowMs], recent: [now - 1] } });
    expect(takeLock(row, control(), askA(), "owner-1", now).next?.mintedAt).toEqual({
      recent: [now - 1],
      a: [now],
    });
  });

  it("give a login back only to the configuration that made it, and only where no token was left", () => {
    const row = slot({ mint: lock(), mintedAt: { a: [now - 5, now], b: [now] } });
    expect(releaseMint(row, "owner-1", failed("a"), now).next?.mintedAt).toEqual({ a: [now - 5], b: [now] });
    const left = { ...failed("a"), noTokenLeft: false };
    expect(releaseMint(row, "owner-1", left, now).next?.mintedAt).toEqual(row.mintedAt);
  });
});

describe("a name", () => {
  const renamed = "arn:aws:iam::111122223333:role/renamed";

  it("that the row does not bear is added before anything is served under it", () => {
    const row = slot({ lease: lease() });
    expect(decide(row, control(), ask({ callerArn: renamed }), now)).toEqual({ kind: "add_name" });
    const next = addName(row, renamed).next ?? expect.fail("nothing to write");
    expect(next.names).toEqual([renamed, callerArn]);
    expect(decide(next, control(), ask({ callerArn: renamed }), now).kind).toBe("serve");
    expect(decide(next, control(), ask(), now).kind).toBe("serve");
  });

  it("that it bears is not written again", () => {
    expect(addName(slot(), callerArn)).toEqual({ outcome: undefined });
  });

  it("is added with the lock, where there is nothing to serve", () => {
    const { next } = takeLock(slot(), control(), ask({ callerArn: renamed }), "owner-1", now);
    expect(next?.names).toEqual([renamed, callerArn]);
  });

  it("is not added while the scope is frozen", () => {
    const frozen = { by: "arn:aws:iam::111122223333:role/oncall", at: now, reason: "incident" };
    const row = slot({ lease: lease() });
    expect(decide(row, control({ frozen }), ask({ callerArn: renamed }), now)).toMatchObject({
      code: "scope_frozen",
    });
  });
});
