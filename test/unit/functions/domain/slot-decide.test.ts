import { describe, expect, it } from "vitest";
import { clockSkewMs, lookerGraceMs, refreshAt } from "../../../../functions/domain/lease.ts";
import {
  decide,
  lockMs,
  maxTracked,
  mintWindowMs,
  staleReportAfterMs,
} from "../../../../functions/domain/slot.ts";
import {
  ask,
  control,
  failure,
  lease,
  lock,
  minutes,
  now,
  pending,
  slot,
  tracked,
} from "../../../support/tokens.ts";

const live = slot({ lease: lease() });
const kind = (...parameters: Parameters<typeof decide>) => decide(...parameters).kind;

describe("a live lease", () => {
  it("is served", () => {
    expect(decide(live, control(), ask(), now)).toEqual({ kind: "serve", lease: lease() });
  });

  it.each([
    ["exactly the asked life is left", 14 * minutes, "serve"],
    ["a millisecond less is left", 14 * minutes + 1, "mint"],
    ["it has ended", 15 * minutes, "mint"],
  ])("when %s, leads to %s", (_, age, expected) => {
    const busyRefresh = ask({ minTtlMs: 60_000, mayMint: expected === "mint" });
    expect(kind(live, control(), busyRefresh, now + Number(age))).toBe(expected);
  });

  it.each([
    ["of an older epoch", control({ epoch: 1 }), ask()],
    ["of a newer epoch than the control item's", control(), ask(), 1],
    ["of another configuration", control(), ask({ digest: "another" })],
    ["that could not be unsealed", control(), ask({ unreadableLeaseId: lease().leaseId })],
  ])("%s is not served", (_, scope, request, epoch = 0) => {
    expect(kind(slot({ lease: lease({ epoch }) }), scope, request, now)).toBe("mint");
  });

  it("is not served while the scope is frozen", () => {
    const frozen = { by: "arn:aws:iam::111122223333:role/oncall", at: now, reason: "incident" };
    expect(decide(live, control({ frozen }), ask(), now)).toMatchObject({
      kind: "refuse",
      code: "scope_frozen",
    });
  });
});

describe("refreshing ahead", () => {
  const at = refreshAt(lease());

  it("begins at the lease's own moment", () => {
    expect(kind(live, control(), ask(), at - 1)).toBe("serve");
    expect(kind(live, control(), ask(), at)).toBe("mint");
  });

  it.each([
    [
      "another renews it",
      slot({ lease: lease(), mint: lock("owner-2", { since: at, until: at + lockMs }) }),
      ask(),
    ],
    [
      "the last renewal failed",
      slot({ lease: lease(), failures: [failure({ at, until: at + 5_000 })] }),
      ask(),
    ],
    [
      "the budget is spent",
      slot({ lease: lease(), mintedAt: { digest: [at - 1] } }),
      ask({ mintsPerTenMinutes: 1 }),
    ],
    [
      "too much is pending",
      slot({ lease: lease(), outbox: Array.from({ length: 15 }, (_, n) => pending(`pending-${n}`)) }),
      ask(),
    ],
    ["too little time is left", live, ask({ mayMint: false })],
  ])("never costs a caller the lease that is still good: %s", (_, row, request) => {
    expect(kind(row, control(), request, at)).toBe("serve");
  });
});

describe("a stale report", () => {
  const report = ask({ staleLeaseId: lease().leaseId });

  it("of a lease that is not the current one is answered with the current one", () => {
    expect(kind(live, control(), ask({ staleLeaseId: "lease-of-yesterday" }), now)).toBe("serve");
  });

  it("of a lease that was just made is not believed yet, and is no reason to serve it again", () => {
    expect(decide(live, control(), report, now + 4_000)).toEqual({
      kind: "refuse",
      code: "busy",
      retryAfterMs: staleReportAfterMs - 4_000,
    });
  });

  it("of a lease older than ten seconds leads to a login", () => {
    expect(kind(live, control(), report, now + staleReportAfterMs)).toBe("mint");
  });

  it.each([
    ["another logs in", slot({ lease: lease(), mint: lock("owner-2", { until: now + 25_000 }) }), "wait"],
    ["the budget is spent", slot({ lease: lease(), mintedAt: { digest: Array(10).fill(now) } }), "refuse"],
    [
      "the last login failed",
      slot({ lease: lease(), failures: [failure({ code: "busy", until: now + 60_000 })] }),
      "refuse",
    ],
  ])("never gets the reported lease: %s", (_, row, expected) => {
    expect(kind(row, control(), report, now + staleReportAfterMs)).toBe(expected);
  });
});

describe("without a lease", () => {
  it("a login is due", () => {
    expect(decide(slot(), control(), ask(), now)).toEqual({ kind: "mint" });
  });

  it.each([
    ["its last moment", -1, "wait"],
    ["its end", 0, "wait"],
    ["the largest skew less a millisecond after it", clockSkewMs - 1, "wait"],
    ["the largest skew after it", clockSkewMs, "mint"],
  ])("another's lock at %s leads to %s... %#", (_, offset, expected) => {
    const row = slot({ mint: lock("owner-2") });
    expect(kind(row, control(), ask(), now + lockMs + Number(offset))).toBe(expected);
  });

  it("a doomed lock is waited for like any other", () => {
    expect(kind(slot({ mint: lock("owner-2", { doomed: true }) }), control(), ask(), now)).toBe("wait");
  });

  it("a failure is shared until its back-off is over", () => {
    const failures = [failure({ detail: "Looker cannot be reached.", until: now + 4_000, count: 3 })];
    expect(decide(slot({ failures }), control(), ask(), now + 1_000)).toEqual({
      kind: "refuse",
      code: "looker_unavailable",
      detail: "Looker cannot be reached.",
      retryAfterMs: 3_000,
    });
    expect(kind(slot({ failures }), control(), ask(), now + 4_000)).toBe("mint");
  });

  it("a request without enough time left is told to come again", () => {
    expect(decide(slot(), control(), ask({ mayMint: false }), now)).toMatchObject({
      code: "busy",
      retryAfterMs: 1_000,
    });
  });
});

describe("the mint budget", () => {
  const request = ask({ mintsPerTenMinutes: 3 });
  const begun = [now, now + minutes, now + 2 * minutes];
  const spent = slot({ mintedAt: { digest: begun } });

  it("refuses one login too many, and says when the oldest leaves the window", () => {
    expect(decide(spent, control(), request, now + 3 * minutes)).toMatchObject({
      code: "too_many_mints",
      retryAfterMs: mintWindowMs - 3 * minutes,
    });
  });

  it("slides: each login counts for ten minutes", () => {
    expect(kind(spent, control(), request, now + mintWindowMs - 1)).toBe("refuse");
    expect(kind(spent, control(), request, now + mintWindowMs)).toBe("mint");
    const again = slot({ mintedAt: { digest: [...begun, now + mintWindowMs] } });
    expect(decide(again, control(), request, now + mintWindowMs)).toMatchObject({ retryAfterMs: minutes });
  });

  it("that was lowered says when enough of them have left", () => {
    const lowered = ask({ mintsPerTenMinutes: 1 });
    expect(decide(spent, control(), lowered, now + 3 * minutes)).toMatchObject({ retryAfterMs: 9 * minutes });
  });

  it("does not keep a live lease from those who did not complain", () => {
    const row = slot({ lease: lease(), mintedAt: spent.mintedAt });
    expect(kind(row, control(), request, now + 3 * minutes)).toBe("serve");
  });
});

describe("the bound on tracked tokens", () => {
  const outbox = (count: number) => Array.from({ length: count }, (_, n) => pending(`pending-${n}`));

  it("stops logins before the row is full", () => {
    expect(kind(slot({ outbox: outbox(maxTracked - 1) }), control(), ask(), now)).toBe("mint");
    expect(decide(slot({ outbox: outbox(maxTracked) }), control(), ask(), now)).toMatchObject({
      code: "busy",
    });
  });

  it("counts superseded tokens, and the lease that would become one", () => {
    const superseded = [tracked("superseded-1"), tracked("superseded-2")];
    const ended = lease({ endsAt: now });
    expect(kind(slot({ superseded, outbox: outbox(maxTracked - 3) }), control(), ask(), now)).toBe("mint");
    expect(
      kind(slot({ superseded, outbox: outbox(maxTracked - 3), lease: ended }), control(), ask(), now),
    ).toBe("refuse");
  });

  it("does not count what Looker has ended by itself", () => {
    const gone = outbox(maxTracked).map((token) => ({ ...token, lookerEndsAt: now - lookerGraceMs }));
    expect(kind(slot({ outbox: gone }), control(), ask(), now)).toBe("mint");
  });
});
