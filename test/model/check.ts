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
  const property = fc.asyncProperty(scenarios, (scenario) => play(core, scenario, false));
  const result = await fc.check(property, {
    numRuns: runs,
    seed,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
  });
  if (!result.failed) return { runs: result.numRuns, seed, failure: undefined };
  const { counterexample, counterexamplePath } = result;
  const [scenario] = counterexample ?? [];
  // Once more, now with its story.
  const error: unknown = scenario && (await play(core, scenario).catch((thrown: unknown) => thrown));
  const failure = [
    error instanceof Error ? error.message : String(result.errorInstance),
    `Scenario: ${JSON.stringify(scenario)}`,
    `Again: npm run test:model -- --seed ${seed} --path ${counterexamplePath}`,
  ].join("\n");
  return { runs: result.numRuns, seed, failure };
}
