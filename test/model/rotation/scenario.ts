/** Random scenarios of a rotation. */
import fc from "fast-check";
import type { Strike } from "../simulation.ts";
import type { Deed, Scenario } from "./run.ts";
import type { WorldSettings } from "./world.ts";

const settings: fc.Arbitrary<WorldSettings> = fc.record({
  own: fc.boolean(),
  twoScopes: fc.boolean(),
  endsTokens: fc.boolean(),
  logsOutOrphans: fc.boolean(),
  ownPairs: fc.constant(true),
  administratorMay: fc.constant(true),
  administratorWorks: fc.constant(true),
  maxPairs: fc.constant(10),
});

/** Within the time-out of the function, and of a request. */
const fault = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: "crash" } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: "lose" } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("late" as const), byMs: fc.nat(10_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("slow" as const), byMs: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("freeze" as const), forMs: fc.nat(100_000) }) },
);

const strike: fc.Arbitrary<Strike> = fc.record({
  fault,
  afterToken: fc.constant(0),
  /** The first 220 stops are the rotation, with its retries. */
  atStop: fc.oneof(fc.nat(220), fc.nat(900)),
  onControl: fc.constant(false),
});

const deeds: readonly Deed[] = [
  "deny the old pair",
  "deny the pending pair",
  "deny the current pair",
  "roll back",
  "Looker is away",
  "somebody makes a pair",
  "the new pair is deleted",
  "rotate again",
];

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  settings,
  order: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 }),
  strikes: fc.array(strike, { maxLength: 3 }),
  secondAfterMs: fc.option(fc.nat(300), { nil: undefined }),
  retireEveryMinutes: fc.constantFrom(5, 5, 24 * 60),
  deeds: fc.array(fc.record({ after: fc.integer({ min: 1, max: 12 }), deed: fc.constantFrom(...deeds) }), {
    maxLength: 2,
  }),
});
