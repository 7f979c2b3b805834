import type { RotationCore } from "./core.ts";
import { judge } from "./judgement.ts";
import { play, type Scenario } from "./run.ts";

/** The broken rules of a scenario, with its story. */
export async function broken(core: RotationCore, scenario: Scenario): Promise<string[]> {
  const outcome = await play(core, scenario);
  const wrong = await judge(scenario, outcome);
  if (wrong.length === 0) return [];
  const told = await play(core, scenario, true);
  return [...wrong, ...outcome.failures, ...told.world.simulation.story];
}
