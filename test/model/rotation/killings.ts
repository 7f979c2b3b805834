/** Every place where a run of the rotation's function can be killed: before each call, and after it with its answer lost. */
import type { Strike } from "../simulation.ts";
import type { RotationCore } from "./core.ts";
import { play, type Scenario } from "./run.ts";

const strikeAt = (atStop: number, kind: "crash" | "lose"): Strike => ({
  fault: { kind },
  ...{ afterToken: 0, onControl: false, atStop },
});

interface Places {
  /** The n-th place alone, beginning with `from`. */
  readonly every?: number;
  readonly from?: number;
  /** The last place. */
  readonly to?: number;
  /** `lose`: the run lives on without the answer. */
  readonly kind?: "crash" | "lose";
}

export async function* killings(
  core: RotationCore,
  scenarios: readonly Scenario[],
  { every = 1, from = 0, to, kind = "crash" }: Places,
): AsyncGenerator<Scenario> {
  for (const scenario of scenarios) {
    const { stops } = await play(core, scenario);
    for (let at = 1 + from; at <= (to ?? stops); at += every)
      yield { ...scenario, strikes: [...scenario.strikes, strikeAt(at, kind)] };
  }
}

/** Two killings, one after the other. One in `every`² of them is made, by the seed, and over many seeds each has its turn. */
export async function* pairsOfKillings(
  core: RotationCore,
  scenarios: readonly Scenario[],
  { every, seed }: { every: number; seed: number },
): AsyncGenerator<Scenario> {
  const second = Math.floor(seed / every) % every;
  for await (const once of killings(core, scenarios, { every, from: seed % every })) {
    const [strike] = once.strikes;
    for await (const twice of killings(core, [once], { every, from: (strike?.atStop ?? 0) + second }))
      yield twice;
  }
}
