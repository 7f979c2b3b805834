import fc from "fast-check";
import type { Core } from "./core.ts";
import { play } from "./model.ts";
import { scenarios } from "./scenario.ts";

export interface Verdict {
  readonly runs: number;
  readonly seed: number;
  /** The smallest failing scenario found, told as a story; undefined if every run kept every promise. */
  readonly failure: string | undefined;
}

/** @param options.path of a failure that was printed before: plays that very scenario */
export async function check(
  core: Core,
  { runs, seed, path }: { runs: number; seed: number; path?: string | undefined },
): Promise<Verdict> {
  const property = fc.asyncProperty(scenarios, (scenario) => play(core, scenario));
  const result = await fc.check(property, {
    numRuns: runs,
    seed,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  });
  if (!result.failed) return { runs: result.numRuns, seed, failure: undefined };
  const { errorInstance, counterexample, counterexamplePath } = result;
  const failure = [
    errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
    `Scenario: ${JSON.stringify(counterexample?.[0])}`,
    `Again: npm run test:model -- --seed ${seed} --path ${counterexamplePath}`,
  ].join("\n");
  return { runs: result.numRuns, seed, failure };
}
