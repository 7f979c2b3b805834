import fc from "fast-check";
import { broken } from "./broken.ts";
import type { RotationCore } from "./core.ts";
import { scenarios } from "./scenario.ts";

export interface Verdict {
  readonly runs: number;
  /** The smallest failing scenario found, as a story. */
  readonly failure: string | undefined;
}

/** @param options.path as printed with a failure: plays its scenario again */
export async function checkRotation(
  core: RotationCore,
  { runs, seed, path }: { runs: number; seed: number; path?: string | undefined },
): Promise<Verdict> {
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    const wrong = await broken(core, scenario);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  });
  const more = path === undefined ? {} : { path, endOnFailure: true };
  const result = await fc.check(property, { numRuns: runs, seed, ...more });
  if (!result.failed) return { runs: result.numRuns, failure: undefined };
  const { errorInstance, counterexample, counterexamplePath } = result;
  const failure = [
    (errorInstance as Error).message,
    `Scenario: ${JSON.stringify(counterexample?.[0])}`,
    `Again: npm run test:model -- --rotation --seed ${seed} --path ${counterexamplePath}`,
  ].join("\n");
  return { runs: result.numRuns, failure };
}
