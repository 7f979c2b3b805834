import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import { loadCore } from "./core.ts";

describe("a fleet of instances, under races, crashes, freezes and lost answers", () => {
  // Anew each time; a failure prints its seed. `npm run test:model -- --runs N` goes on for longer.
  const seed = (Math.random() * 2 ** 31) | 0;

  it("keeps every promise", { timeout: 60_000 }, async () => {
    const core = await loadCore(new URL("../../functions/", import.meta.url));
    const { failure, runs } = await check(core, { runs: 500, seed });
    expect(failure).toBeUndefined();
    expect(runs).toBe(500);
  });
});
