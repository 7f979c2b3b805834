/**
 * The promises of docs/explanation/promises.md, checked on what a fleet does in one scenario. Only what callers, operators and Looker
 * can observe is judged, and the rows where a promise is about rows.
 */
import { sha256Of } from "../../functions/domain/digest.ts";
import type { Scope } from "../../functions/domain/scope.ts";
import { arnOf, clientIdOf, keyOf } from "./configurations.ts";
import type { Core } from "./core.ts";
import { judgeAtRest } from "./judgement.ts";
import { budgetWindowMs, lockMs, Observed, skewMs } from "./observed.ts";
import { portsFor } from "./ports.ts";
import { recover } from "./recovery.ts";
import type { Arrival, Command, Scenario } from "./scenario.ts";
import { type Instance, Simulation } from "./simulation.ts";
import { callerOf, type MadeToken, nameOf, World } from "./world.ts";

/** What a function has, less what its handler keeps for the answer. */
const invocationMs = { request: 27_000, sweep: 52_000 };
/** Answers that are under way cost time too. */
const graceMs = 1_500;
const minTtlSeconds = 60;

/** @param telling whether a failure comes with its story */
export async function play(core: Core, scenario: Scenario, telling = true): Promise<void> {
  const simulation = new Simulation(scenario.order, scenario.strikes, telling);
  const world = new World(simulation, scenario, core);
  const seen = new Observed(core, simulation, world, scenario);
  const fleet = new Fleet(seen);
  let afterMs = 0;
  for (const [index, arrival] of scenario.arrivals.entries()) {
    afterMs += arrival.afterMs;
    void fleet.arrive(arrival, index, afterMs);
  }
  await simulation.run();
  judgeAtRest(seen);
  seen.throwIfBroken();
  await recover(seen);
  seen.throwIfBroken();
}

type TokenCommand = Extract<Command, { kind: "token" }>;
type RevokeCommand = Extract<Command, { kind: "revoke" }>;

/** One invocation, with what it may use. */
interface Invocation {
  readonly instance: Instance;
  readonly secretAgeMs: number;
  readonly deadline: number;
  readonly audit: { possible_orphans?: number };
}

class Fleet {
  /** Invocations that did not fail for want of the table: their lock is given back. */
  private readonly gaveBackAtStop = new Map<Instance, number>();
  private readonly lastLeases = new Map<string, string>();
  /** What each caller was given last, and all that it was given: an older one is superseded, or in an outbox. */
  private readonly given = new Map<string, MadeToken[]>();
  /** A slow call, or a write that is not heard of, may come on top of what an invocation has. */
  private readonly slowMs: number;
  private readonly seen: Observed;

  constructor(seen: Observed) {
    this.seen = seen;
    this.slowMs = seen.scenario.strikes.reduce(
      (sum, { fault }) => sum + (fault.kind === "slow" || fault.kind === "late" ? fault.byMs : 0),
      0,
    );
  }

  async arrive(
    { command, skewMs: skew, secretAgeMs }: Arrival,
    index: number,
    afterMs: number,
  ): Promise<void> {
    const { simulation, broken } = this.seen;
    const instance: Instance = {
      name: `${command.kind}#${index}`,
      skewMs: skew,
      crashed: false,
      frozen: false,
    };
    await simulation.wait(instance, "arrives", afterMs);
    const startedAt = simulation.now;
    this.seen.arrivedAtStop.set(instance, simulation.clock);
    const lastsMs = command.kind === "sweep" ? invocationMs.sweep : invocationMs.request;
    const audit = {};
    const invocation = { instance, secretAgeMs, deadline: simulation.timeAt(instance) + lastsMs, audit };
    simulation.tell(instance, () => `arrives: ${JSON.stringify(command)}`);
    try {
      const answer = await this.perform(command, invocation);
      this.gaveBackAtStop.set(instance, simulation.clock);
      simulation.tell(instance, () => `is answered: ${answer}`);
    } catch (error) {
      const { name, code } = error as { name?: string; code?: string };
      if (name !== "Problem" && name !== "Unavailable")
        broken.push(`${instance.name} threw ${(error as Error).stack}`);
      if (name === "Problem") this.gaveBackAtStop.set(instance, simulation.clock);
      if (command.kind === "token") this.judgeRefusal(command, code ?? "");
      simulation.tell(instance, () => `is refused: ${code ?? name} ${JSON.stringify(audit)}`);
    }
    this.seen.conclude(instance, invocation);
    const tookMs = simulation.now - startedAt;
    if (!instance.frozen && tookMs > lastsMs + graceMs + this.slowMs)
      broken.push(`every request ends in its time: ${instance.name} took ${tookMs} ms`);
  }

  private async perform(command: Command, invocation: Invocation): Promise<string> {
    const { core, world, simulation, configurations, unfreezes } = this.seen;
    const { instance } = invocation;
    switch (command.kind) {
      case "token":
        return await this.fetchToken(command, invocation);
      case "logout": {
        const key = keyOf(command.scope, command.caller, command.session);
        // By its id alone a lease of a session is found, too.
        const ofSession = keyOf(command.scope, command.caller, 1);
        const last = this.lastLeases.get(nameOf(key)) ?? this.lastLeases.get(nameOf(ofSession));
        const leaseId = command.lastLeaseOnly ? last : undefined;
        if (command.lastLeaseOnly && leaseId === undefined) return "nothing to do";
        const isOwn = (made: MadeToken) =>
          key.session === undefined ? callerOf(made.key) === callerOf(key) : nameOf(made.key) === nameOf(key);
        const covers = (made: MadeToken) =>
          isOwn(made) && (leaseId === undefined || made.leaseId === leaseId);
        return await this.watch({ scope: command.scope, covers }, () =>
          core.logOut(portsFor(world, instance), { ...invocation, key, leaseId }),
        );
      }
      case "revoke":
        return await this.revoke(command, invocation);
      case "allow":
        return await this.allow(configurations[command.scope][0], invocation);
      case "freeze": {
        const [scope] = configurations[command.scope];
        const frozen = { by: "operator", at: simulation.timeAt(instance), reason: "test" };
        return await this.watch({ scope: command.scope, covers: () => true, freezes: true }, () =>
          core.freezeScope(portsFor(world, instance), { ...invocation, scope }, frozen),
        );
      }
      case "unfreeze": {
        const [scope] = configurations[command.scope];
        const unfreeze = { scope: command.scope, answeredAtStop: Number.POSITIVE_INFINITY };
        unfreezes.push(unfreeze);
        await core.unfreezeScope(portsFor(world, instance), { ...invocation, scope });
        unfreeze.answeredAtStop = simulation.clock;
        return "unfrozen";
      }
      case "sweep":
        return JSON.stringify(await core.sweep(portsFor(world, instance), invocation));
      case "rotate":
        return `version ${world.storeVersion(configurations[command.scope][0].secretId)}`;
      case "looker":
        world.lookerState = command.state;
        return command.state;
    }
  }

  private async fetchToken(command: TokenCommand, invocation: Invocation): Promise<string> {
    const { core, simulation, world, broken, staleReports } = this.seen;
    const { instance, secretAgeMs, deadline, audit } = invocation;
    const arrivedAtStop = simulation.clock;
    const scope = this.configurationOf(command);
    const key = keyOf(command.scope, command.caller, command.session);
    const callerArn = arnOf(command.caller, command.name);
    const staleLeaseId = command.reportStale ? this.lastLeases.get(nameOf(key)) : undefined;
    if (staleLeaseId !== undefined) staleReports.add(staleLeaseId);
    const ports = portsFor(world, instance, { holder: { key, secretId: scope.secretId }, secretAgeMs });
    const request = { scope, key, callerArn, minTtlSeconds, staleLeaseId, deadline, audit };
    const answer = await core.issueToken(ports, request);
    const made = world.byToken.get(answer.accessToken);
    if (!made) throw new Error(`${answer.accessToken} was never made`);
    this.lastLeases.set(nameOf(key), answer.leaseId);
    const given = this.given.get(nameOf(key)) ?? [];
    this.given.set(nameOf(key), [...given.filter((each) => each !== made), made]);
    const { name } = instance;
    if (nameOf(made.key) !== nameOf(key))
      broken.push(`isolation: ${name} was given ${made.token} of ${nameOf(made.key)}`);
    if (
      made.baseUrl !== scope.baseUrl ||
      made.secretId !== scope.secretId ||
      answer.baseUrl !== scope.baseUrl
    )
      broken.push(`each configuration has its own: ${name} was given ${made.token} of ${made.baseUrl}`);
    if (!world.slotAt(key).names.includes(callerArn))
      broken.push(`nothing is served under a name that the row does not bear: ${name}`);
    const later = world.tokens.find(
      ({ key: other, baseUrl, secretId, madeAtStop, leaseAtStop = Number.POSITIVE_INFINITY }) =>
        nameOf(other) === nameOf(key) &&
        baseUrl === made.baseUrl &&
        secretId === made.secretId &&
        madeAtStop > made.madeAtStop &&
        leaseAtStop < arrivedAtStop,
    );
    if (later) broken.push(`no older lease stands in: ${name} was given ${made.token}, not ${later.token}`);
    if (
      made.loggedOutBy === made.minter &&
      (this.gaveBackAtStop.get(made.minter) ?? arrivedAtStop) < arrivedAtStop
    )
      broken.push(`what was ended in hand is not served: ${name} was given ${made.token}`);
    if (answer.leaseId === staleLeaseId) broken.push(`the lease reported stale is never the answer: ${name}`);
    for (const { answeredAtStop, covers } of this.seen.revocations)
      if (answeredAtStop !== undefined && answeredAtStop < arrivedAtStop && covers(made))
        broken.push(`revoked means dead: ${name} was given ${made.token}, revoked before it arrived`);
    if (this.seen.frozenThroughout(command.scope, arrivedAtStop))
      broken.push(`nothing is served from a frozen scope: ${name}`);
    if (answer.expiresInSeconds < minTtlSeconds - skewMs / 1_000)
      broken.push(`min_ttl: ${name} got ${answer.expiresInSeconds} s`);
    return `${made.token} for ${answer.expiresInSeconds} s`;
  }

  /** One configuration is not refused for another's sake. */
  private judgeRefusal(command: TokenCommand, code: string): void {
    const { world, broken, revocations, calm, simulation, scenario } = this.seen;
    const { secretId, baseUrl } = this.configurationOf(command);
    const ofIt = (each: { clientId: string; baseUrl: string }) =>
      each.clientId.startsWith(`${secretId}-v`) && each.baseUrl === baseUrl;
    if (code === "looker_rejected_credentials") {
      const denied = revocations.some(({ deniedClientId = "" }) =>
        deniedClientId.startsWith(`${secretId}-v`),
      );
      const rejected = world.attempts.some((attempt) => !attempt.accepted && ofIt(attempt));
      if (!denied && !rejected)
        broken.push(`only what Looker rejected is refused: ${JSON.stringify(command)}`);
    }
    // Of sessions some may be counted whose login is still to come.
    if (code === "too_many_mints" && calm && command.session === 0) {
      const key = nameOf(keyOf(command.scope, command.caller));
      const since = simulation.now - budgetWindowMs - lockMs - skewMs;
      const recent = world.tokens.filter(
        (made) => nameOf(made.key) === key && made.secretId === secretId && ofIt(made) && made.madeAt > since,
      );
      if (recent.length < scenario.mintsPerTenMinutes)
        broken.push(`a configuration's budget is its own: ${JSON.stringify(command)}`);
    }
  }

  private configurationOf({ scope, configuration }: TokenCommand): Scope {
    const configurations = this.seen.configurations[scope];
    return configurations[configuration] ?? configurations[0];
  }

  private async revoke(command: RevokeCommand, invocation: Invocation): Promise<string> {
    const { core, simulation, world, configurations } = this.seen;
    const { instance } = invocation;
    const [scope] = configurations[command.scope];
    type Request = Parameters<Core["revokeLeases"]>[2];
    const revoke = async (request: Request, covers: (made: MadeToken) => boolean, deniedClientId?: string) =>
      await this.watch({ scope: command.scope, covers, deniedClientId }, () =>
        core.revokeLeases(portsFor(world, instance), { ...invocation, scope }, request),
      );
    switch (command.filter) {
      case "all":
        return await revoke({ all: true }, () => true);
      case "caller": {
        const callerArn = arnOf(command.caller, command.name);
        // All whose row bears the name by now, whatever they are called at present.
        const uniqueIds = [...world.slots.values()]
          .filter(({ key, namedAtStop }) => key.scope === command.scope && namedAtStop.has(callerArn))
          .map(({ key }) => key.uniqueId);
        return await revoke({ callerArn }, ({ key }) => uniqueIds.includes(key.uniqueId));
      }
      case "lease": {
        const key = keyOf(command.scope, command.caller, command.session);
        const leaseId = this.lastLeases.get(nameOf(key));
        if (leaseId === undefined) return "nothing to do";
        return await revoke({ leaseId }, (made) => made.leaseId === leaseId);
      }
      case "token": {
        // A token that was found need not be the newest: by `name` it is one from before.
        const given = this.given.get(nameOf(keyOf(command.scope, command.caller, command.session))) ?? [];
        const found = given.at(-1 - command.name) ?? given.at(-1);
        if (!found) return "nothing to do";
        const tokenSha256 = sha256Of(found.token);
        return await revoke({ tokenSha256 }, (made) => made === found);
      }
      case "client": {
        const clientId = clientIdOf(scope.secretId, world.versionOf(scope.secretId));
        return await revoke({ clientId }, (made) => made.clientId === clientId, clientId);
      }
      case "before": {
        const issuedBefore = simulation.timeAt(instance);
        // By the minter's clock: what was made before is certainly meant, since its lock was taken before its login.
        const certainly = simulation.now;
        return await revoke({ issuedBefore }, (made) => made.madeAt < certainly);
      }
    }
  }

  private async allow(scope: Scope, invocation: Invocation): Promise<string> {
    const { core, simulation, world, allowances } = this.seen;
    const clientId = clientIdOf(scope.secretId, world.versionOf(scope.secretId));
    const allowance = { clientId, askedAtStop: simulation.clock, answeredAtStop: Number.POSITIVE_INFINITY };
    allowances.push(allowance);
    await core.allowClient(portsFor(world, invocation.instance), { ...invocation, scope }, clientId);
    allowance.answeredAtStop = simulation.clock;
    return `${clientId} is allowed`;
  }

  /** Notes what a revocation covers, and judges its answer. */
  private async watch(
    {
      scope,
      covers,
      freezes = false,
      deniedClientId,
    }: {
      scope: string;
      covers: (made: MadeToken) => boolean;
      freezes?: boolean;
      deniedClientId?: string | undefined;
    },
    perform: () => Promise<{ revoked: number; pending: number }>,
  ): Promise<string> {
    const { simulation, world, broken, revocations } = this.seen;
    const arrivedAtStop = simulation.clock;
    const covered = (made: MadeToken) =>
      made.key.scope === scope && made.madeAtStop < arrivedAtStop && covers(made);
    const revocation = { scope, arrivedAtStop, covers: covered, freezes, deniedClientId };
    revocations.push(revocation);
    const answer = await perform();
    Object.assign(revocation, { answeredAtStop: simulation.clock });
    const dead = world.tokens.filter(({ loggedOutAt }) => loggedOutAt !== undefined).length;
    if (answer.revoked > dead) broken.push(`revoked only if Looker confirmed: ${answer.revoked} of ${dead}`);
    const held = world.heldTokens();
    const alive = world.tokens.filter(
      (made) =>
        covered(made) &&
        world.isAlive(made) &&
        !this.seen.isOverdue(made, arrivedAtStop) &&
        // What a row shows is no excuse.
        (held.has(made.token) || !(this.seen.isLost(made) || this.seen.isLate(made))),
    );
    if (answer.pending === 0 && alive.length > 0)
      broken.push(`revoked, with nothing pending, means dead: ${alive.map(({ token }) => token)} are alive`);
    return JSON.stringify(answer);
  }
}
