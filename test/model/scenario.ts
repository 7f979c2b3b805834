/** A scenario: the commands of a run, their times, and the world around them. */
import fc from "fast-check";
import type { Strike } from "./simulation.ts";

/** `sales` and `support` share a secret; `finance` has its own at the same Looker. */
export const scopeNames = ["sales", "support", "finance"] as const;
export type ScopeName = (typeof scopeNames)[number];

/** Who asks, from where: an instance is of one version of the deployment, so it has one configuration of the scope. */
interface Who {
  readonly scope: ScopeName;
  readonly caller: number;
  /** 0: none. A logout without one is of all that the caller holds. */
  readonly session: number;
}

type RevocationKind = "all" | "caller" | "lease" | "token" | "client" | "before";

export type Command =
  /** `name`: which of its names the caller bears. `configuration`: which one the instance has, where there are two. */
  | ({ kind: "token"; name: number; configuration: number; reportStale: boolean } & Who)
  | ({ kind: "logout"; lastLeaseOnly: boolean } & Who)
  | ({ kind: "revoke"; filter: RevocationKind; name: number } & Who)
  /** The way back from a revocation by client id: of the version that is current. */
  | { kind: "allow"; scope: ScopeName }
  | { kind: "freeze"; scope: ScopeName }
  | { kind: "unfreeze"; scope: ScopeName }
  | { kind: "sweep" }
  /** A new version is stored in the secret of this scope. */
  | { kind: "rotate"; scope: ScopeName }
  | { kind: "looker"; state: LookerState };

/** Up, without a connection, or behind a proxy that answers for it. */
export type LookerState = "up" | "unreached" | "failed";

export interface Arrival {
  /** After the arrival before it. */
  readonly afterMs: number;
  readonly skewMs: number;
  /** How old the instance's copy of a secret may be. */
  readonly secretAgeMs: number;
  readonly command: Command;
}

/** An account whose logouts do not succeed. */
interface UnwellAccount {
  readonly scope: "sales" | "finance";
  readonly logouts: "unconfirmed" | "failed" | "hang";
  /** Where they are not confirmed: only the crowd's are like that, and the account's others are well. */
  readonly crowdOnly: boolean;
  /** Its tokens that wait for their logout already, when the faults stop. */
  readonly crowd: number;
}

export interface Scenario {
  readonly arrivals: readonly Arrival[];
  readonly strikes: readonly Strike[];
  readonly order: readonly number[];
  /** What the second configuration of `sales` has of its own. */
  readonly secondConfiguration: "none" | "url" | "secret";
  /** Versions of a secret before this are wrong. */
  readonly firstRightVersion: number;
  /** A right version is wrong at the second URL. */
  readonly wrongAtSecondUrl: boolean;
  readonly mintsPerTenMinutes: number;
  readonly sessionMintsPerTenMinutes: number;
  readonly lookerLifeMs: number;
  /** The login with this number gives a token that cannot be used. 0: none does. */
  readonly unusableLogin: number;
  readonly unwell: UnwellAccount | undefined;
  /** How far the index of what is due lies behind. */
  readonly indexLagMs: number;
}

const who = {
  scope: fc.constantFrom<ScopeName>("sales", "sales", "sales", "sales", "support", "finance"),
  caller: fc.constantFrom(0, 0, 0, 1),
  session: fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 2, 3),
};
const { scope } = who;
const name = fc.constantFrom(0, 0, 0, 1);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("token" as const),
      ...who,
      name,
      configuration: fc.constantFrom(0, 0, 1),
      reportStale: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("logout" as const), ...who, lastLeaseOnly: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("revoke" as const),
      ...who,
      name,
      filter: fc.constantFrom<RevocationKind>("all", "caller", "lease", "token", "client", "before"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("allow" as const), scope }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("freeze" as const), scope }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unfreeze" as const), scope }) },
  { weight: 2, arbitrary: fc.constant({ kind: "sweep" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rotate" as const), scope }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("looker" as const),
      state: fc.constantFrom<LookerState>("up", "unreached", "failed"),
    }),
  },
);

/** Mostly at once; sometimes past a lock, a back-off, a refresh, a lease's end, a secret's back-off. */
const afterMs = fc.constantFrom(
  ...[
    0, 0, 0, 0, 0, 1, 10, 50, 200, 1_000, 5_000, 11_000, 25_000, 61_000, 365_000, 720_000, 720_000, 960_000,
  ],
);
const seconds = (...all: number[]) => fc.constantFrom(...all.map((each) => each * 1_000));

const strike: fc.Arbitrary<Strike> = fc
  .tuple(
    fc.oneof(
      fc.record({ afterToken: fc.constant(0), atStop: fc.integer({ min: 1, max: 200 }) }),
      // Just after a login most can go wrong.
      fc.record({ afterToken: fc.integer({ min: 1, max: 4 }), atStop: fc.integer({ min: 0, max: 14 }) }),
    ),
    fc.oneof(
      fc.record({ kind: fc.constant("lose" as const) }),
      fc.record({ kind: fc.constant("lose" as const) }),
      fc.record({ kind: fc.constant("crash" as const) }),
      fc.record({ kind: fc.constant("freeze" as const), forMs: seconds(3_600, 90, 25, 6) }),
      fc.record({ kind: fc.constant("late" as const), byMs: seconds(1, 5, 20, 60) }),
      fc.record({ kind: fc.constant("slow" as const), byMs: seconds(0.4, 2, 5.5, 8) }),
      fc.record({ kind: fc.constant("slow" as const), byMs: seconds(0.4, 2, 5.5, 8) }),
      fc.record({ kind: fc.constant("twice" as const) }),
      fc.record({
        kind: fc.constant("outage" as const),
        of: fc.constantFrom("dynamodb" as const, "kms" as const),
        forMs: seconds(1, 3, 8, 20),
        losesAnswer: fc.boolean(),
      }),
    ),
    fc.constantFrom(false, false, false, false, false, true),
  )
  .map(([when, fault, onControl]) => ({ ...when, fault, onControl }));

/** At a control item: a slow write lets a login overtake a freeze, and a crash cuts a job between two partitions. */
const atControl: fc.Arbitrary<Strike> = fc.record({
  fault: fc.oneof(
    fc.record({ kind: fc.constant("slow" as const), byMs: seconds(5.5, 8) }),
    fc.record({ kind: fc.constant("crash" as const) }),
  ),
  afterToken: fc.constant(0),
  atStop: fc.integer({ min: 1, max: 100 }),
  onControl: fc.constant(true),
});

const unwell: fc.Arbitrary<UnwellAccount> = fc.record({
  scope: fc.constantFrom("sales" as const, "finance" as const),
  logouts: fc.constantFrom("unconfirmed" as const, "failed" as const, "hang" as const),
  crowdOnly: fc.boolean(),
  crowd: fc.oneof(
    { weight: 24, arbitrary: fc.constantFrom(0, 0, 2, 6, 12, 24) },
    // More than a sweep gets through.
    { weight: 1, arbitrary: fc.constant(150) },
  ),
});

const arrivalOf = (
  what: fc.Arbitrary<Command>,
  when: fc.Arbitrary<number> = afterMs,
): fc.Arbitrary<Arrival> =>
  fc.record({
    afterMs: when,
    skewMs: fc.constantFrom(0, 2_500, -2_500),
    secretAgeMs: fc.constantFrom(0, 0, 0, 9_000, 290_000),
    command: what,
  });

/** A login that begins while a freeze of its scope is still on its way to the table. */
const overtaken = scope.chain((frozen) =>
  fc.tuple(
    arrivalOf(fc.constant({ kind: "freeze" as const, scope: frozen })),
    arrivalOf(
      fc.record({
        kind: fc.constant("token" as const),
        scope: fc.constant(frozen),
        caller: who.caller,
        session: who.session,
        name,
        configuration: fc.constantFrom(0, 0, 1),
        reportStale: fc.constant(false),
      }),
      fc.constant(5_000),
    ),
  ),
);

/** The two configurations of a scope in turns, as behind a gateway that shifts traffic; in some runs one has renewed before. */
const inTurns = fc
  .record({ ...who, name })
  .chain((by) => {
    const turn = (configuration: 0 | 1, when: number) =>
      arrivalOf(
        fc.constant({ kind: "token" as const, ...by, configuration, reportStale: false }),
        fc.constant(when),
      );
    return fc.oneof(
      fc.tuple(turn(0, 200), turn(1, 5_000), turn(0, 5_000), turn(1, 5_000)),
      fc.tuple(turn(0, 200), turn(0, 720_000), turn(1, 5_000), turn(0, 5_000)),
    );
  })
  .map((four): readonly Arrival[] => four);

/** Jobs of one caller that begin together, each with a session of its own. */
const jobsAtOnce = fc.record({ scope, caller: who.caller, name }).chain((by) => {
  const job = (session: number) =>
    arrivalOf(
      fc.constant({ kind: "token" as const, ...by, session, configuration: 0, reportStale: false }),
      fc.constantFrom(0, 0, 1),
    );
  return fc.tuple(job(1), job(2), job(3), job(4));
});

const arrivals = fc
  .array(
    fc.oneof(
      { weight: 40, arbitrary: arrivalOf(command).map((one): readonly Arrival[] => [one]) },
      { weight: 1, arbitrary: overtaken.map((two): readonly Arrival[] => two) },
      { weight: 3, arbitrary: inTurns },
      { weight: 2, arbitrary: jobsAtOnce.map((four): readonly Arrival[] => four) },
    ),
    { minLength: 2, maxLength: 12 },
  )
  .map((parts) => parts.flat());

/** A freeze whose write is slow, and a slow login that begins meanwhile: these alone, so that each run has a good chance. */
const slowFreeze: fc.Arbitrary<Pick<Scenario, "arrivals" | "strikes">> = fc
  .record({
    arrivals: overtaken,
    write: fc.integer({ min: 1, max: 12 }),
    login: fc.integer({ min: 4, max: 40 }),
    byMs: seconds(2, 5.5, 8),
  })
  .map(({ arrivals, write, login, byMs }) => ({
    arrivals,
    strikes: [
      { fault: { kind: "slow", byMs: 5_500 }, afterToken: 0, atStop: write, onControl: true },
      { fault: { kind: "slow", byMs }, afterToken: 0, atStop: login, onControl: false },
    ],
  }));

const general: fc.Arbitrary<Scenario> = fc.record({
  arrivals,
  strikes: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 4, arbitrary: fc.array(strike, { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(fc.oneof(atControl, strike), { maxLength: 4 }) },
  ),
  order: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 }),
  secondConfiguration: fc.constantFrom("none" as const, "none" as const, "url" as const, "secret" as const),
  firstRightVersion: fc.constantFrom(1, 1, 1, 1, 1, 2, 1_000),
  wrongAtSecondUrl: fc.constantFrom(false, false, true),
  mintsPerTenMinutes: fc.constantFrom(10, 10, 2),
  sessionMintsPerTenMinutes: fc.constantFrom(60, 60, 3, 1),
  lookerLifeMs: fc.constantFrom(3_600_000, 3_600_000, 3_590_000, 600_000, 20_000),
  unusableLogin: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2),
  unwell: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: unwell }),
  indexLagMs: fc.constantFrom(0, 0, 2_000, 15_000),
});

export const scenarios: fc.Arbitrary<Scenario> = fc
  .tuple(general, fc.oneof({ weight: 15, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: slowFreeze }))
  .map(([scenario, special]) => ({ ...scenario, ...special }));
