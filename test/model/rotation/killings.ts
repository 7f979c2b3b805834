/** Every place where a run of the rotation's function can be killed: before each call, and after it with its answer lost. */
import type { Strike } from "../simulation.ts";
import type { RotationCore } from "./core.ts";
import { play, type Scenario } from "./run.ts";

const strikeAt = (atStop: number, kind: "crash" | "lose"): Strike => ({
  fault: { kind },
  ...{ afterToken: 0, onControl: false, atStop },
});

/**
 * @param every the n-th place alone, beginning with `from`
 * @param to the last place
 * @param kind `lose`: the run lives on without the answer
 * @param pairs also two of them, one after the other
 */
export async function* killings(
  core: RotationCore,
  scenarios: readonly Scenario[],
  {
    every = 1,
    from = 0,
    to,
    pairs = false,
    kind = "crash",
  }: { every?: number; from?: number; to?: number; pairs?: boolean; kind?: "crash" | "lose" },
): AsyncGenerator<Scenario> {
  for (const scenario of scenarios) {
    const { stops } = await play(core, scenario);
    for (let first = 1 + from; first <= (to ?? stops); first += every) {
      yield { ...scenario, strikes: [strikeAt(first, kind)] };
      if (!pairs) continue;
      const { stops: more } = await play(core, { ...scenario, strikes: [strikeAt(first, kind)] });
      for (let second = first + 1; second <= more; second += every)
        yield { ...scenario, strikes: [strikeAt(first, kind), strikeAt(second, kind)] };
    }
  }
}
