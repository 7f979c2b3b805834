/**
 * The promises of docs/explanation/promises.md, checked on what a fleet does in one scenario. Only what callers, operators and Looker
 * can observe is judged, and the rows where a promise is about rows.
 */
import type { Scope } from "../../functions/domain/scope.ts";
import type { Core } from "./core.ts";
import type { Arrival, Command, Scenario } from "./scenario.ts";
import { type Instance, Simulation } from "./simulation.ts";
import { type MadeToken, World } from "./world.ts";

const scope: Scope = {
  name: "sales",
  baseUrl: "https://looker.example",
  secretId: "looker/sales",
  callers: [],
  operators: [],
  leaseSeconds: 900,
  mintsPerTenMinutes: 10,
};
/** What a function has, less what its handler keeps for the answer. */
const invocationMs = 24_000;
/** Answers that are under way cost time too. */
const answersWithinMs = 27_000;
const attemptBackoffMs = 360_000;
const skewMs = 5_000;
const leaseMs = scope.leaseSeconds * 1_000;

const callerOf = (number: number) => `CALLER${number}`;
const arnOf = (caller: string) => `arn:aws:iam::111122223333:role/${caller}`;

export class BrokenPromise extends Error {
  constructor(promise: string, story: readonly string[]) {
    super(`${promise}\n\nThe story, by stop and time:\n${story.join("\n")}\n`);
  }
}

/** A revocation, a logout or a freeze: what must not be served after its answer. */
interface Revocation {
  readonly arrivedAtStop: number;
  readonly covers: (made: MadeToken) => boolean;
  answeredAtStop?: number;
  readonly freezes: boolean;
}

interface Unfreeze {
  readonly arrivedAtStop: number;
  answeredAtStop?: number;
}

export async function play(core: Core, scenario: Scenario): Promise<void> {
  const simulation = new Simulation(scenario.order, scenario.strikes);
  const world = new World(simulation, scenario, core);
  const run = new Run(core, simulation, world, scenario);
  let afterMs = 0;
  for (const [index, arrival] of scenario.arrivals.entries()) {
    afterMs += arrival.afterMs;
    void run.arrive(arrival, index, afterMs);
  }
  await simulation.run();
  run.judge();
  await run.cleanUp();
  run.judgeAfterCleanUp();
}

class Run {
  private readonly revocations: Revocation[] = [];
  private readonly unfreezes: Unfreeze[] = [];
  private readonly lastLeases = new Map<string, string>();
  private readonly staleReports = new Set<string>();
  private readonly countedOrphans = new Set<Instance>();
  private readonly broken: string[] = [];
  private readonly calm: boolean;
  private readonly core: Core;
  private readonly simulation: Simulation;
  private readonly world: World;
  private readonly scenario: Scenario;

  constructor(core: Core, simulation: Simulation, world: World, scenario: Scenario) {
    this.core = core;
    this.simulation = simulation;
    this.world = world;
    this.scenario = scenario;
    this.calm = scenario.strikes.length === 0;
  }

  async arrive({ command, skewMs: skew }: Arrival, index: number, afterMs: number): Promise<void> {
    const instance: Instance = {
      name: `${command.kind}#${index}`,
      skewMs: skew,
      crashed: false,
      frozen: false,
    };
    await this.simulation.stop(instance, "arrives", afterMs);
    if (instance.crashed) return;
    const startedAt = this.simulation.now;
    const audit: { possible_orphans?: number } = {};
    this.simulation.tell(instance, `arrives: ${JSON.stringify(command)}`);
    try {
      const answer = await this.perform(command, instance, audit);
      this.simulation.tell(instance, `is answered: ${answer}`);
    } catch (error) {
      const { name, code } = error as { name?: string; code?: string };
      if (name !== "Problem" && name !== "Unavailable")
        this.broken.push(`${instance.name} threw ${(error as Error).stack}`);
      this.simulation.tell(instance, `is refused: ${code ?? name}`);
    }
    if ((audit.possible_orphans ?? 0) > 0) this.countedOrphans.add(instance);
    if (!instance.frozen && this.simulation.now - startedAt > answersWithinMs)
      this.broken.push(
        `every request ends in its time: ${instance.name} took ${this.simulation.now - startedAt} ms`,
      );
  }

  private async perform(command: Command, instance: Instance, audit: object): Promise<string> {
    const { core, world, simulation } = this;
    const caller = callerOf("caller" in command ? command.caller : 0);
    const key = { scope: scope.name, account: "111122223333", uniqueId: caller, callerArn: arnOf(caller) };
    const ports = world.portsOf(instance, caller);
    const deadline = simulation.timeAt(instance) + invocationMs;
    const job = { scope, key, deadline, audit };
    switch (command.kind) {
      case "token":
        return await this.fetchToken(command.reportStale, caller, instance, job, ports);
      case "logout": {
        const leaseId = command.lastLeaseOnly ? this.lastLeases.get(caller) : undefined;
        if (command.lastLeaseOnly && leaseId === undefined) return "nothing to do";
        return await this.watch(
          (made) => made.caller === caller && (leaseId === undefined || made.leaseId === leaseId),
          false,
          () => core.logOut(ports, { ...job, leaseId }),
        );
      }
      case "revoke":
        return await this.revoke(command.filter, caller, instance, job, ports);
      case "freeze":
        return await this.watch(
          () => true,
          true,
          () =>
            core.freezeScope(ports, job, { by: "operator", at: simulation.timeAt(instance), reason: "test" }),
        );
      case "unfreeze": {
        const unfreeze: Unfreeze = { arrivedAtStop: simulation.clock };
        this.unfreezes.push(unfreeze);
        await core.unfreezeScope(ports, job);
        unfreeze.answeredAtStop = simulation.clock;
        return "unfrozen";
      }
      case "sweep":
        return JSON.stringify(await core.sweep(ports, { deadline, audit }));
      case "rotate":
        return `version ${++world.secretVersion}`;
      case "looker":
        world.lookerIsDown = command.down;
        return command.down ? "down" : "up";
    }
  }

  private async fetchToken(
    reportStale: boolean,
    caller: string,
    instance: Instance,
    job: Parameters<Core["logOut"]>[1],
    ports: Parameters<Core["issueToken"]>[0],
  ): Promise<string> {
    const { simulation, world } = this;
    const arrivedAtStop = simulation.clock;
    const staleLeaseId = reportStale ? this.lastLeases.get(caller) : undefined;
    if (staleLeaseId !== undefined) this.staleReports.add(staleLeaseId);
    const answer = await this.core.issueToken(ports, { ...job, scope, minTtlSeconds: 60, staleLeaseId });
    const made = world.tokens.find(({ token }) => token === answer.accessToken);
    if (!made) throw new Error(`${answer.accessToken} was never made`);
    this.lastLeases.set(caller, answer.leaseId);
    if (made.caller !== caller)
      this.broken.push(`isolation: ${instance.name} was given ${made.token} of ${made.caller}`);
    if (answer.leaseId === staleLeaseId)
      this.broken.push(`the lease reported stale is never the answer: ${instance.name}`);
    for (const revocation of this.revocations)
      if (
        revocation.answeredAtStop !== undefined &&
        revocation.answeredAtStop < arrivedAtStop &&
        revocation.covers(made)
      )
        this.broken.push(
          `revoked means dead: ${instance.name} was given ${made.token}, revoked before it arrived`,
        );
    if (this.frozenThroughout(arrivedAtStop))
      this.broken.push(`nothing is served from a frozen scope: ${instance.name}`);
    if (answer.expiresInSeconds < 60 - skewMs / 1_000)
      this.broken.push(`min_ttl: ${instance.name} got ${answer.expiresInSeconds} s`);
    return `${made.token} for ${answer.expiresInSeconds} s`;
  }

  /** Whether a freeze was answered before, and no unfreeze can have taken effect since it arrived. */
  private frozenThroughout(arrivedAtStop: number): boolean {
    return this.revocations.some(
      (freeze) =>
        freeze.freezes &&
        freeze.answeredAtStop !== undefined &&
        freeze.answeredAtStop < arrivedAtStop &&
        !this.unfreezes.some(
          ({ answeredAtStop = Number.POSITIVE_INFINITY }) => answeredAtStop > freeze.arrivedAtStop,
        ),
    );
  }

  private async revoke(
    filter: Extract<Command, { kind: "revoke" }>["filter"],
    caller: string,
    instance: Instance,
    job: Parameters<Core["freezeScope"]>[1],
    ports: Parameters<Core["revokeLeases"]>[0],
  ): Promise<string> {
    const { core, simulation, world } = this;
    const callerArn = arnOf(caller);
    switch (filter) {
      case "all":
        return await this.watch(
          () => true,
          false,
          () => core.revokeLeases(ports, job, { all: true }),
        );
      case "caller":
        return await this.watch(
          (made) => made.caller === caller,
          false,
          () => core.revokeLeases(ports, job, { callerArn }),
        );
      case "lease": {
        const leaseId = this.lastLeases.get(caller);
        if (leaseId === undefined) return "nothing to do";
        return await this.watch(
          (made) => made.leaseId === leaseId,
          false,
          () => core.revokeLeases(ports, job, { leaseId }),
        );
      }
      case "client": {
        const clientId = `client-${world.secretVersion}`;
        return await this.watch(
          (made) => made.clientId === clientId,
          false,
          () => core.revokeLeases(ports, job, { clientId }),
        );
      }
      case "before": {
        const issuedBefore = simulation.timeAt(instance);
        // By the minter's clock: what was made well before is certainly meant.
        // Its lock was taken before its login: 15 s cover the way there.
        const certainly = simulation.now;
        return await this.watch(
          (made) => made.madeAt < certainly,
          false,
          () => core.revokeLeases(ports, job, { issuedBefore }),
        );
      }
    }
  }

  /** Notes what a revocation covers, and judges its answer. */
  private async watch(
    covers: (made: MadeToken) => boolean,
    freezes: boolean,
    perform: () => Promise<{ revoked: number; pending: number }>,
  ): Promise<string> {
    const { simulation, world } = this;
    const arrivedAtStop = simulation.clock;
    const covered = (made: MadeToken) => made.madeAtStop < arrivedAtStop && covers(made);
    const revocation: Revocation = { arrivedAtStop, covers: covered, freezes };
    this.revocations.push(revocation);
    const answer = await perform();
    revocation.answeredAtStop = simulation.clock;
    const dead = world.tokens.filter(({ loggedOutAt }) => loggedOutAt !== undefined).length;
    if (answer.revoked > dead)
      this.broken.push(`revoked only if Looker confirmed: ${answer.revoked} of ${dead}`);
    const alive = world.tokens.filter(
      (made) => covered(made) && world.isAlive(made) && !this.isKnownWindow(made),
    );
    if (answer.pending === 0 && alive.length > 0)
      this.broken.push(
        `revoked, with nothing pending, means dead: ${alive.map(({ token }) => token)} are alive`,
      );
    return JSON.stringify(answer);
  }

  /** A login whose answer never reached the table. */
  private isKnownWindow(made: MadeToken): boolean {
    const { minter } = made;
    return minter.crashed || minter.frozen || made.answerLost === true || this.countedOrphans.has(minter);
  }

  judge(): void {
    const { world, broken, scenario, simulation } = this;
    if (world.mostTracked > this.core.maxTracked)
      broken.push(`no row grows past its bound: ${world.mostTracked} tracked`);
    if (this.calm && world.overlappingLogins > 0) broken.push("one mint at a time per slot");
    const held = this.heldTokens();
    for (const made of world.tokens) {
      const lost = made.minter.crashed || made.answerLost === true || this.countedOrphans.has(made.minter);
      if (world.isAlive(made) && !held.has(made.token) && !lost)
        broken.push(`every token is tracked: nobody holds ${made.token}`);
      if (made.loggedOutAt !== undefined && !this.mayBeDead(made))
        broken.push(`nothing kills a lease unasked: ${made.token}`);
    }
    if (!world.control.job) this.judgeFinishedJobs();
    this.judgeAttempts();
    const undisturbed = scenario.arrivals.every(
      ({ command }) => command.kind === "sweep" || (command.kind === "token" && !command.reportStale),
    );
    if (this.calm && undisturbed) this.judgeOneLogin();
    if (broken.length > 0) throw new BrokenPromise(broken[0] as string, simulation.story);
  }

  /** A whole-scope revocation that is through leaves nothing of an older epoch but what is being ended. */
  private judgeFinishedJobs(): void {
    const { world } = this;
    const alive = new Set(world.tokens.filter((made) => world.isAlive(made)).map(({ token }) => token));
    for (const { slot } of world.slots.values())
      for (const token of [...(slot.lease ? [slot.lease] : []), ...slot.superseded])
        if (token.epoch < world.control.epoch && alive.has(new TextDecoder().decode(token.sealed)))
          this.broken.push(`a revocation of the whole scope ends all of it: lease ${token.leaseId} is left`);
  }

  /** In calm runs a login is made when there is no lease, or once it is due for renewal. */
  private judgeOneLogin(): void {
    const last = new Map<string, MadeToken>();
    for (const made of this.world.tokens) {
      const before = last.get(made.caller);
      const life = Math.min(leaseMs, this.scenario.lookerLifeMs);
      if (before && made.madeAt - before.madeAt < 0.75 * life - 2 * skewMs - 15_000)
        this.broken.push(`one successful login per lease: ${before.token} and ${made.token}`);
      last.set(made.caller, made);
    }
  }

  /** A version that never worked is tried once in a back-off, by everyone together. */
  private judgeAttempts(): void {
    const last = new Map<string, number>();
    for (const { version, at, accepted } of this.world.attempts) {
      const before = last.get(version);
      if (before !== undefined && at - before < attemptBackoffMs - 2 * skewMs)
        this.broken.push(`one attempt per back-off: ${version}`);
      if (accepted) return;
      last.set(version, at);
    }
  }

  private heldTokens(): Set<string> {
    const decode = ({ sealed }: { sealed: Uint8Array }) => new TextDecoder().decode(sealed);
    return new Set(
      [...this.world.slots.values()].flatMap(({ slot }) =>
        [...(slot.lease ? [slot.lease] : []), ...slot.superseded, ...slot.outbox].map(decode),
      ),
    );
  }

  /** Whether anyone could have meant this token, or its lease was over, or its minter had lost its lock or KMS. */
  private mayBeDead(made: MadeToken): boolean {
    const stale = made.leaseId !== undefined && this.staleReports.has(made.leaseId);
    // Issued when the lock was taken, up to a lock's life before the login.
    const life = Math.min(leaseMs, this.scenario.lookerLifeMs);
    const over = (made.loggedOutAt ?? 0) >= made.madeAt + life - 15_000 - 2 * skewMs;
    return this.revocations.length > 0 || stale || over || made.minter.frozen || made.leaseId === undefined;
  }

  /** Nothing fails any more: the sweeper must be able to end everything. */
  async cleanUp(): Promise<void> {
    const { simulation, world, core } = this;
    world.lookerIsDown = false;
    simulation.calmDown();
    for (let minute = 0; minute < 20; minute++) {
      const instance: Instance = { name: `final-sweep#${minute}`, skewMs: 0, crashed: false, frozen: false };
      void (async () => {
        // Past every lease's end and every back-off, but not past the tokens' own ends.
        await simulation.stop(instance, "arrives", minute < 10 ? 100_000 : 120_000);
        const deadline = simulation.timeAt(instance) + invocationMs;
        simulation.tell(
          instance,
          JSON.stringify(await core.sweep(world.portsOf(instance, ""), { deadline, audit: {} })),
        );
      })();
      await simulation.run();
    }
  }

  judgeAfterCleanUp(): void {
    const { world, simulation, broken } = this;
    for (const { slot } of world.slots.values())
      if (slot.lease || slot.superseded.length > 0 || slot.outbox.length > 0 || slot.mint)
        broken.push("the sweeper ends what is over");
    for (const made of world.tokens)
      if (world.isAlive(made) && !this.isKnownWindow(made))
        broken.push(`a lease ends when the scope says: ${made.token} is alive`);
    if (broken.length > 0) throw new BrokenPromise(broken[0] as string, simulation.story);
  }
}
