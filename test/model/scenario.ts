/** What happens in a run: who does what, and when. */
import fc from "fast-check";
import type { Strike } from "./simulation.ts";

export type Command =
  | { kind: "token"; caller: number; reportStale: boolean }
  | { kind: "logout"; caller: number; lastLeaseOnly: boolean }
  | { kind: "revoke"; filter: "all" | "caller" | "lease" | "client" | "before"; caller: number }
  | { kind: "freeze" }
  | { kind: "unfreeze" }
  | { kind: "sweep" }
  | { kind: "rotate" }
  | { kind: "looker"; down: boolean };

export interface Arrival {
  /** After the arrival before it. */
  readonly afterMs: number;
  readonly skewMs: number;
  readonly command: Command;
}

export interface Scenario {
  readonly arrivals: readonly Arrival[];
  readonly strikes: readonly Strike[];
  readonly order: readonly number[];
  readonly rightSecret: boolean;
  readonly lookerLifeMs: number;
}

const caller = fc.constantFrom(0, 0, 0, 1);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant("token" as const),
      caller,
      reportStale: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("logout" as const), caller, lastLeaseOnly: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("revoke" as const),
      filter: fc.constantFrom(
        "all" as const,
        "caller" as const,
        "lease" as const,
        "client" as const,
        "before" as const,
      ),
      caller,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "freeze" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "unfreeze" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "sweep" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "rotate" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("looker" as const), down: fc.boolean() }) },
);

/** Mostly at once; sometimes past a back-off, a refresh, a lease's end, a secret's back-off. */
const afterMs = fc.constantFrom(0, 0, 0, 0, 1, 10, 50, 200, 1_000, 5_000, 25_000, 365_000, 720_000, 960_000);
const strike: fc.Arbitrary<Strike> = fc.record({
  atStop: fc.integer({ min: 1, max: 160 }),
  kind: fc.constantFrom(
    "crash" as const,
    "freeze" as const,
    "fail" as const,
    "fail" as const,
    "fail" as const,
  ),
});

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  arrivals: fc.array(fc.record({ afterMs, skewMs: fc.constantFrom(0, 0, 2_400, -2_400), command }), {
    minLength: 2,
    maxLength: 12,
  }),
  strikes: fc.oneof(fc.constant([]), fc.array(strike, { maxLength: 4 })),
  order: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 }),
  rightSecret: fc.constantFrom(true, true, true, true, false),
  lookerLifeMs: fc.constantFrom(3_600_000, 3_590_000, 600_000),
});
