/** Every place where a run of the rotation's function can be killed: before each call, and after it with its answer lost. */
import type { Strike } from "../simulation.ts";
import type { RotationCore } from "./core.ts";
import { play, type Scenario } from "./run.ts";

const kill = (atStop: number): Strike => ({
  fault: { kind: "crash" },
  ...{ afterToken: 0, onControl: false, atStop },
});

/**
 * @param every the n-th place alone, beginning with `from`
 * @param to the last place
 * @param pairs also two of them, one after the other
 */
export async function* killings(
  core: RotationCore,
  scenarios: readonly Scenario[],
  { every = 1, from = 0, to, pairs = false }: { every?: number; from?: number; to?: number; pairs?: boolean },
): AsyncGenerator<Scenario> {
  for (const scenario of scenarios) {
    const { stops } = await play(core, scenario);
    for (let first = 1 + from; first <= (to ?? stops); first += every) {
      yield { ...scenario, strikes: [kill(first)] };
      if (!pairs) continue;
      const { stops: more } = await play(core, { ...scenario, strikes: [kill(first)] });
      for (let second = first + 1; second <= more; second += every)
        yield { ...scenario, strikes: [kill(first), kill(second)] };
    }
  }
}
