import { describe, expect, it } from "vitest";
import { clockSkewMs, lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { deletableAt, dueAt, lockMs, prune, type Slot } from "../../../../functions/domain/slot.ts";
import { storeMinted } from "../../../../functions/domain/slot-mint.ts";
import { type RevocationFilter, revoke, settle } from "../../../../functions/domain/slot-revoke.ts";
import { failure, lease, lock, minutes, now, pending, slot, tracked } from "../../../support/tokens.ts";

const full = slot({
  lease: lease({ leaseId: "live", issuedAt: now, epoch: 2, clientId: "two", tokenSha256: "11" }),
  superseded: [
    tracked("old", { issuedAt: now - 10 * minutes, epoch: 1, clientId: "one", tokenSha256: "22" }),
  ],
  outbox: [
    pending("pending", { issuedAt: now - 20 * minutes, epoch: 1, clientId: "one", tokenSha256: "33" }),
  ],
});
const ids = (tokens: readonly { leaseId: string }[]) => tokens.map(({ leaseId }) => leaseId).sort();

describe("a revocation", () => {
  it.each<[string, RevocationFilter, string[]]>([
    ["of everything", {}, ["live", "old", "pending"]],
    ["of the live lease", { leaseId: "live" }, ["live"]],
    ["of a superseded lease", { leaseId: "old" }, ["old"]],
    ["of what is pending already, again", { leaseId: "pending" }, ["pending"]],
    ["of an unknown lease", { leaseId: "unknown" }, []],
    ["of what was issued before now", { issuedBefore: now }, ["old", "pending"]],
    ["of a client id", { clientId: "one" }, ["old", "pending"]],
    ["of a client id and a time", { clientId: "one", issuedBefore: now - 15 * minutes }, ["pending"]],
    ["of contradicting wishes", { clientId: "one", leaseId: "live" }, []],
    ["of the live lease's token", { tokenSha256: "11" }, ["live"]],
    ["of a superseded lease's token", { tokenSha256: "22" }, ["old"]],
    ["of a pending token, again", { tokenSha256: "33" }, ["pending"]],
    ["of an unknown token", { tokenSha256: "44" }, []],
    ["of an older epoch", { olderEpoch: 2 }, ["old", "pending"]],
  ])("%s moves just that to the outbox", (_, filter, expected) => {
    const { next, outcome } = revoke(full, filter, now);
    expect(ids(outcome.tokens)).toEqual(expected);
    const after = next ?? full;
    const remains = [...after.superseded, ...(after.lease ? [after.lease] : [])];
    expect(ids([...remains, ...after.outbox])).toEqual(["live", "old", "pending"]);
    for (const id of expected) expect(ids(remains)).not.toContain(id);
  });

  it("writes nothing when nothing is left to move", () => {
    expect(revoke(slot({ outbox: [pending("pending")] }), {}, now).next).toBeUndefined();
    expect(revoke(slot(), {}, now)).toEqual({
      outcome: { tokens: [], doomed: false, possibleOrphan: false },
    });
  });

  it.each<[string, RevocationFilter]>([
    ["everything", {}],
    ["a client id", { clientId: "one" }],
  ])("of %s twice is the same once", (_, filter) => {
    const first = revoke({ ...full, mint: lock() }, filter, now);
    const second = revoke(first.next ?? full, filter, now + 10);
    expect(second.next).toBeUndefined();
    expect(ids(second.outcome.tokens)).toEqual(ids(first.outcome.tokens));
    expect(second.outcome.doomed).toBe(first.outcome.doomed);
  });

  it("does not count what Looker has ended by itself", () => {
    const over = slot({ lease: lease({ lookerEndsAt: now - lookerGraceMs }) });
    expect(revoke(over, {}, now).outcome.tokens).toEqual([]);
  });
});

describe("a login under way", () => {
  const minting = slot({ mint: lock("owner-1", { since: now }) });

  it.each<[string, RevocationFilter, boolean]>([
    ["everything", {}, true],
    ["a client id", { clientId: "one" }, true],
    ["what was issued before a later time", { issuedBefore: now + 1 }, true],
    ["what was issued before it began", { issuedBefore: now }, false],
    ["a single lease", { leaseId: "live" }, false],
    ["an older epoch than its lock's", { olderEpoch: 0 }, false],
    ["an older epoch, raised since its lock was taken", { olderEpoch: 1 }, true],
  ])("and a revocation of %s: doomed %#", (_, filter, doomed) => {
    const { next, outcome } = revoke(minting, filter, now);
    expect(outcome.doomed).toBe(doomed);
    expect((next ?? minting).mint).toMatchObject({ owner: "owner-1", doomed });
  });

  it("that is doomed brings its token to the outbox, never to a caller", () => {
    const doomed = revoke(minting, {}, now).next ?? minting;
    const { next, outcome } = storeMinted(doomed, "owner-1", lease(), now);
    expect(outcome).toBe("fenced");
    expect(next?.lease).toBeUndefined();
    expect(next?.outbox).toMatchObject([{ leaseId: lease().leaseId }]);
  });

  it("whose lock ran out is cleared and counted, and its late token is fenced all the same", () => {
    const late = now + lockMs + clockSkewMs;
    const { next, outcome } = revoke(minting, {}, late);
    expect(outcome).toMatchObject({ doomed: false, possibleOrphan: true });
    expect(next?.mint).toBeUndefined();
    expect(storeMinted(next ?? minting, "owner-1", lease(), late).outcome).toBe("fenced");
  });
});

describe("settling", () => {
  it("removes what Looker confirmed, and tries the rest again later", () => {
    const row = slot({ outbox: [pending("dead"), pending("doubtful"), pending("untouched")] });
    const results = new Map([
      ["dead", "ended"],
      ["doubtful", "unconfirmed"],
    ] as const);
    expect(settle(row, results, now).next?.outbox).toEqual([
      pending("doubtful", { attempts: 1, retryAt: now + 15_000 }),
      pending("untouched"),
    ]);
  });

  it("twice removes nothing else", () => {
    const row = slot({ outbox: [pending("dead"), pending("untouched")] });
    const results = new Map([["dead", "ended"]] as const);
    const next = settle(row, results, now).next ?? row;
    expect(settle(next, results, now)).toEqual({ outcome: undefined });
  });

  it("never removes a live lease, whatever its name", () => {
    const row = slot({ lease: lease({ leaseId: "live" }) });
    expect(settle(row, new Map([["live", "ended"]]), now)).toEqual({ outcome: undefined });
  });
});

it("pruning drops only what Looker has ended, by any clock", () => {
  const at = now + 60 * minutes + lookerGraceMs;
  const longer = { lookerEndsAt: at };
  const row = slot({
    lease: lease(),
    superseded: [tracked("a"), tracked("b", longer)],
    outbox: [pending("c"), pending("d", longer)],
  });
  expect(prune(row, at - 1)).toEqual(row);
  expect(prune(row, at)).toMatchObject({
    lease: undefined,
    superseded: [{ leaseId: "b" }],
    outbox: [{ leaseId: "d" }],
  });
});

describe("the sweeper's date", () => {
  it.each<[string, Partial<Slot>, number | undefined]>([
    ["nothing", {}, undefined],
    ["a failure only", { failures: [failure()] }, undefined],
    ["a lease: its end", { lease: lease() }, lease().endsAt],
    ["a superseded token: its end", { superseded: [tracked("a", { endsAt: now + 5 })] }, now + 5],
    ["a pending token: its next try", { outbox: [pending("a", { retryAt: now + 7 })] }, now + 7],
    ["a lock: its end by any clock", { mint: lock() }, now + lockMs + clockSkewMs],
    [
      "all of them: the earliest",
      { lease: lease(), outbox: [pending("a", { retryAt: now + 7 })], mint: lock() },
      now + 7,
    ],
  ])("of %s", (_, changes, expected) => {
    expect(dueAt(slot(changes))).toBe(expected);
  });
});

describe("the row's own end", () => {
  const day = 86_400_000;
  it.each<[string, Partial<Slot>, number]>([
    ["nothing: a day from now", {}, now + day],
    ["a lease: a day after Looker's end of it", { lease: lease() }, now + 60 * minutes + day],
    [
      "a pending token that lives longest",
      { lease: lease(), outbox: [pending("a", { lookerEndsAt: now + day })] },
      now + 2 * day,
    ],
    ["a superseded token", { superseded: [tracked("a", { lookerEndsAt: now + day })] }, now + 2 * day],
    ["a lock: a day after its end", { mint: lock() }, now + lockMs + day],
  ])("with %s", (_, changes, expected) => {
    expect(deletableAt(slot(changes), now)).toBe(expected);
  });
});
