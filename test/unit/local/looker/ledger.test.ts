import { expect, it } from "vitest";
import { Ledger } from "../../../../local/looker/ledger.ts";

it("the ledger of a run of days keeps no more than its latest ten thousand entries", () => {
  const ledger = new Ledger();
  for (let at = 1; at <= 25_000; at += 1)
    ledger.record({ at, event: "api", method: "GET", path: "/api/4.0/user", status: 200 });
  const kept = ledger.entries().map(({ at }) => at);
  expect(kept.length).toBeLessThanOrEqual(10_000);
  expect(kept.length).toBeGreaterThanOrEqual(9_000);
  expect(kept).toEqual(Array.from(kept, (_, index) => 25_000 - kept.length + 1 + index));
});
