/** For test/support/mutation. A random run catches a mutant today and misses it tomorrow. */
import { expect, it } from "vitest";
import { check } from "./check.ts";
import { loadCore } from "./core.ts";

it("the fleet keeps every promise, in the same 400 runs each time", { timeout: 120_000 }, async () => {
  const core = await loadCore(new URL("../../functions/", import.meta.url));
  const { failure } = await check(core, { runs: 400, seed: 20_240_229 });
  expect(failure).toBeUndefined();
});
