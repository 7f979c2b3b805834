/** What callers and operators saw in a run, and what was broken in it. */
import { type Configurations, configurationsOf } from "./configurations.ts";
import type { Core } from "./core.ts";
import type { Scenario } from "./scenario.ts";
import type { Instance, Simulation } from "./simulation.ts";
import type { MadeToken, World } from "./world.ts";

/** As the protocol has them: said here again, so that a mutant cannot change what is judged. */
export const skewMs = 5_000;
export const lockMs = 15_000;
export const logoutMs = 9_000;
export const attemptBackoffMs = 360_000;
export const budgetWindowMs = 600_000;
/** A login of a session counts until the minute that it was made in is out of the window. */
export const counterMs = 60_000;
/** Of a token whose answer did not tell its life, and counted from that answer. */
export const assumedLifeMs = 3_600_000;
export const longestLoginMs = 8_000;
export const longestLogoutBackoffMs = 300_000;
export const mostTokensInOutboxes = 16;

/** A client id was allowed again, at some moment between the two. */
interface Allowance {
  readonly clientId: string;
  readonly askedAtStop: number;
  answeredAtStop: number;
}

export class BrokenPromise extends Error {
  constructor(promise: string, story: readonly string[]) {
    super(story.length > 0 ? `${promise}\n\nThe story, by stop and time:\n${story.join("\n")}\n` : promise);
  }
}

/** A revocation, a logout or a freeze: what must not be served after its answer. */
interface Revocation {
  readonly scope: string;
  readonly arrivedAtStop: number;
  readonly covers: (made: MadeToken) => boolean;
  readonly freezes: boolean;
  /** No login with it any more. */
  readonly deniedClientId: string | undefined;
  answeredAtStop?: number;
}

interface Unfreeze {
  readonly scope: string;
  answeredAtStop?: number;
}

export class Observed {
  readonly core: Core;
  readonly simulation: Simulation;
  readonly world: World;
  readonly scenario: Scenario;
  readonly configurations: Configurations;
  /** No fault strikes. */
  readonly calm: boolean;
  readonly revocations: Revocation[] = [];
  readonly unfreezes: Unfreeze[] = [];
  readonly allowances: Allowance[] = [];
  readonly staleReports = new Set<string>();
  /** Invocations by the stop at which each arrived. */
  readonly arrivedAtStop = new Map<Instance, number>();
  /** Invocations that came to their end. */
  readonly done = new Set<Instance>();
  /** Invocations that counted a possible orphan of their own in their record. */
  readonly countedOrphans = new Set<Instance>();
  readonly broken: string[] = [];

  constructor(core: Core, simulation: Simulation, world: World, scenario: Scenario) {
    this.core = core;
    this.simulation = simulation;
    this.world = world;
    this.scenario = scenario;
    this.configurations = configurationsOf(scenario);
    this.calm = scenario.strikes.length === 0;
  }

  /** Notes that an invocation came to its end: what its login made is tracked, dead, or counted. */
  conclude(
    instance: Instance,
    { deadline, audit }: { deadline: number; audit: { possible_orphans?: number } },
  ): void {
    const { world, broken, simulation } = this;
    this.done.add(instance);
    // Locks that it found run out are other invocations' orphans.
    const own = (audit.possible_orphans ?? 0) - (world.locksCleared.get(instance) ?? 0);
    if (own > 0) this.countedOrphans.add(instance);
    const lock = world.locks.get(instance);
    if (!lock) return;
    if (lock.until + logoutMs > deadline)
      broken.push(`a lock is taken with time for its life and a logout: ${instance.name}`);
    const made = world.tokens.find(({ minter }) => minter === instance);
    if (!made || made.answerLost) return;
    if (own > 0 && world.isAlive(made) && !made.endedInHand)
      broken.push(`what cannot be stored is ended: ${made.token} was let go`);
    // The last three seconds are for the answer, and for a write that was begun before them.
    if (made.usable && simulation.timeAt(instance) < deadline - 3_000) this.judgeProven(made);
    this.judgeTracking();
  }

  /** That a version works is recorded while time is left: all others wait for it. */
  private judgeProven({ secretId, baseUrl, clientId, minter }: MadeToken): void {
    const attempt = this.world
      .secretControlOf(secretId)
      .attempts.find((each) => each.versionId === clientId && each.baseUrl === baseUrl);
    if (attempt?.state === "trying" && this.world.ownerOf(attempt.owner) === minter)
      this.broken.push(`what worked is known to work: ${clientId}`);
  }

  /** A login whose answer never reached the table: the known window, for a token that no row shows. */
  isLost({ minter, answerLost }: MadeToken): boolean {
    return minter.crashed || answerLost === true || this.countedOrphans.has(minter);
  }

  /** Somebody found its lock run out, and its minter is still at it: it ends the token itself. */
  isLate({ minter }: MadeToken): boolean {
    return this.world.clearedLocks.has(minter) && !this.done.has(minter);
  }

  /** Its lock ran out before this stop, so it was a possible orphan, and its late minter brought it into a row since. */
  isOverdue({ minter, trackedAtStop }: MadeToken, atStop: number): boolean {
    return this.world.clearedLocks.has(minter) && (trackedAtStop ?? 0) > atStop;
  }

  judgeTracking(): void {
    const { world } = this;
    let held: ReadonlySet<string> | undefined;
    for (const made of world.tokens) {
      if (!world.isAlive(made) || this.isLost(made)) continue;
      if (!made.crowd && !this.done.has(made.minter)) continue;
      held ??= world.heldTokens();
      if (!held.has(made.token)) this.broken.push(`every token is tracked: nobody holds ${made.token}`);
    }
  }

  /** Whether a freeze was answered before, and no unfreeze can have taken effect since it arrived. */
  frozenThroughout(scope: string, arrivedAtStop: number): boolean {
    return this.revocations.some(
      (freeze) =>
        freeze.freezes &&
        freeze.scope === scope &&
        freeze.answeredAtStop !== undefined &&
        freeze.answeredAtStop < arrivedAtStop &&
        !this.unfreezes.some(
          (unfreeze) =>
            unfreeze.scope === scope &&
            (unfreeze.answeredAtStop ?? Number.POSITIVE_INFINITY) > freeze.arrivedAtStop,
        ),
    );
  }

  throwIfBroken(): void {
    this.broken.push(...this.world.broken);
    if (this.broken.length > 0) throw new BrokenPromise(this.broken[0] as string, this.simulation.story);
  }
}
