import { expect, it } from "vitest";
import { clockSkewMs, lookerGraceMs } from "../../../../functions/domain/lease.ts";
import { sweepSlot } from "../../../../functions/use-cases/sweep.ts";
import { lease, lock, minutes, now, pending, slot, tracked } from "../../../support/tokens.ts";

const over = { endsAt: now - 60 * minutes, lookerEndsAt: now - lookerGraceMs };

it("a lease is due from the millisecond of its end on", () => {
  const live = slot({ lease: lease({ endsAt: now + 1 }) });
  expect(sweepSlot(live, now)).toEqual({ outcome: { due: [], expired: 0, possibleOrphan: false } });
  const { next, outcome } = sweepSlot(live, now + 1);
  expect(next).toMatchObject({ lease: undefined, outbox: [{ leaseId: live.lease?.leaseId }] });
  expect(outcome.due).toEqual(next?.outbox);
});

it("a token before its next try stays in the outbox", () => {
  const due = pending("due");
  const waiting = pending("waiting", { retryAt: now + 1 });
  const { next, outcome } = sweepSlot(slot({ outbox: [due, waiting] }), now);
  expect([next, outcome.due]).toEqual([undefined, [due]]);
});

it("each token past its Looker life is counted once", () => {
  const full = slot({
    lease: lease(over),
    superseded: [tracked("old", over), tracked("older", over), tracked("alive")],
    outbox: [pending("pending", over)],
  });
  const { next, outcome } = sweepSlot(full, now);
  expect(outcome).toEqual({ due: [], expired: 4, possibleOrphan: false });
  expect(next).toMatchObject({ lease: undefined, superseded: [{ leaseId: "alive" }], outbox: [] });
});

it("a lock is cleared once it has run out by every clock, and not before", () => {
  const mint = lock();
  const locked = slot({ mint });
  const ranOutAt = mint.until + clockSkewMs;
  expect(sweepSlot(locked, ranOutAt - 1)).toEqual({
    outcome: { due: [], expired: 0, possibleOrphan: false },
  });
  const { next, outcome } = sweepSlot(locked, ranOutAt);
  expect([next?.mint, outcome.possibleOrphan]).toEqual([undefined, true]);
});

it("a lock under way stays while other things of its slot are swept", () => {
  const mint = lock();
  const { next } = sweepSlot(slot({ mint, lease: lease({ endsAt: now }) }), now);
  expect(next?.mint).toEqual(mint);
});
