/**
 * Liveness: no fault strikes any more. Callers get tokens again within their bounds, and the sweeper ends all overdue
 * tokens. An account without Looker's confirmations may keep its own tokens waiting, and nobody else's.
 */
import { arnOf, clientIdOf, keyOf, leaseMs } from "./configurations.ts";
import {
  assumedLifeMs,
  attemptBackoffMs,
  budgetWindowMs,
  counterMs,
  longestLoginMs,
  longestLogoutBackoffMs,
  type Observed,
  skewMs,
} from "./observed.ts";
import { portsFor } from "./ports.ts";
import { type ScopeName, scopeNames } from "./scenario.ts";
import type { Instance } from "./simulation.ts";
import { type MadeToken, nameOf, tokenIn, tokensIn } from "./world.ts";

const invocationMs = { request: 27_000, sweep: 52_000 };
const sweepEveryMs = 60_000;
/** Longer than a dozen sessions need for a budget of one login in ten minutes, and for the last lease. */
const mostMinutes = 300;
/** A new version is used after the failure of the last one is over, and an instance's copy is read again. */
const newVersionMs = 20_000;
/** Callers come one after the other, so each is judged for itself. */
const askEveryMs = 30_000;

export async function recover(seen: Observed): Promise<void> {
  await new Recovery(seen).toItsEnd();
}

interface Use {
  readonly scope: ScopeName;
  readonly caller: number;
  readonly session: number;
  readonly configuration: number;
}

class Recovery {
  private readonly seen: Observed;
  private readonly startedAt: number;
  private askers = 0;
  private instances = 0;
  /** Secrets with a good version, stored by an operator when the faults stopped. */
  private readonly mended = new Set<string>();

  constructor(seen: Observed) {
    this.seen = seen;
    this.startedAt = seen.simulation.now;
  }

  async toItsEnd(): Promise<void> {
    const { simulation, world } = this.seen;
    simulation.calmDown();
    world.lookerState = "up";
    this.judgeBounds();
    world.letCrowdWait();
    await this.mend();
    for (const [index, use] of this.uses().entries()) {
      this.askers++;
      void this.askAgain(use, index);
    }
    void this.sweepOn();
    await simulation.run();
    if (this.seen.broken.length > 0) return;
    this.judgeEnd();
    void this.outlive();
    await simulation.run();
  }

  private newInstance(name: string): Instance {
    const number = ++this.instances;
    return {
      name: `${name}#${number}`,
      skewMs: [0, 2_500, -2_500][number % 3] ?? 0,
      crashed: false,
      frozen: false,
    };
  }

  /** Nothing is put off for longer than its back-off. */
  private judgeBounds(): void {
    const { world, broken } = this.seen;
    const latest = (bound: number) => this.startedAt + bound + skewMs;
    for (const { attempts } of world.secretControls.values())
      if (attempts.some(({ until }) => until > latest(attemptBackoffMs)))
        broken.push("an attempt comes to its end");
    for (const { slot } of world.slots.values())
      if (slot.outbox.some(({ retryAt }) => retryAt > latest(longestLogoutBackoffMs)))
        broken.push("a logout is tried again within five minutes");
  }

  /** Operators unfreeze the frozen scopes, and store a right version where the latest is wrong or denied. */
  private async mend(): Promise<void> {
    const { core, simulation, world, configurations } = this.seen;
    for (const name of scopeNames) {
      for (const { secretId, baseUrl } of configurations[name]) {
        const clientId = clientIdOf(secretId, world.versionOf(secretId));
        const denied = core.isDenied(world.secretControlOf(secretId), clientId);
        if (!denied && world.isRight(secretId, clientId, baseUrl)) continue;
        world.storeVersion(secretId, true);
        this.mended.add(secretId);
      }
      if (!world.controlOf(name).frozen) continue;
      const instance = this.newInstance("unfreeze");
      const deadline = simulation.timeAt(instance) + invocationMs.request;
      const job = { scope: configurations[name][0], deadline, audit: {} };
      void core.unfreezeScope(portsFor(world, instance), job);
    }
    await simulation.run();
  }

  /** All earlier callers, and a newcomer. The newcomer meets the secret's row as the others left it. */
  private uses(): readonly Use[] {
    const uses = new Map<string, Use>();
    for (const { command } of this.seen.scenario.arrivals) {
      if (command.kind !== "token") continue;
      const { scope, caller, session } = command;
      const configuration = this.seen.configurations[scope][command.configuration]
        ? command.configuration
        : 0;
      const use: Use = { scope, caller, session, configuration };
      uses.set(JSON.stringify(use), use);
    }
    const newcomer = { scope: "sales", caller: 2, configuration: 0 } as const;
    return [...uses.values(), { ...newcomer, session: 0 }, { ...newcomer, session: 1 }];
  }

  private async askAgain(use: Use, index: number): Promise<void> {
    const { simulation, broken } = this.seen;
    const asker = this.newInstance("asker");
    await simulation.wait(asker, "arrives", index * askEveryMs);
    let refusal = await this.ask(use);
    // After the back-off of an attempt there may still be a budget to wait for. A caller's sessions spend theirs in turns.
    const mostTries = use.session > 0 ? 12 : 2;
    let busy = 0;
    for (let tries = 0; refusal && tries < mostTries + busy; tries++) {
      await simulation.wait(asker, "waits", this.boundOf(use, refusal));
      const before = refusal;
      refusal = await this.ask(use);
      // Another asker may be trying the secret at this moment. Afterwards the reason is known.
      if (refusal === "busy" && ++busy < 8) continue;
      if (before === "busy") continue;
      if (refusal !== "too_many_mints" || (before === refusal && use.session === 0)) break;
    }
    if (refusal) broken.push(`a caller gets a token again: ${JSON.stringify(use)} is refused: ${refusal}`);
    this.askers--;
  }

  private boundOf({ scope, configuration }: Use, refusal: string): number {
    if (refusal === "busy") return 3_000;
    if (refusal === "too_many_mints") return budgetWindowMs + counterMs + skewMs + 1_000;
    const { secretId } = this.seen.configurations[scope][configuration] ?? { secretId: "" };
    if (refusal === "looker_rejected_credentials" && this.mended.has(secretId)) return newVersionMs;
    return attemptBackoffMs + skewMs + 1_000;
  }

  /** @returns the refusal, if there is one */
  private async ask({ scope: name, caller, session, configuration }: Use): Promise<string | undefined> {
    const { core, simulation, world, scenario, configurations } = this.seen;
    const key = keyOf(name, caller, session);
    const { superseded, outbox } = world.slotAt(key);
    // The caller's row is full of unconfirmed tokens, or Looker's tokens are too short-lived to be served.
    if (superseded.length + outbox.length > 13 || scenario.lookerLifeMs < 60_000) return undefined;
    const scope = configurations[name][configuration] ?? configurations[name][0];
    const instance = this.newInstance("token");
    const secretAgeMs = this.instances % 2 === 0 ? 290_000 : 0;
    const deadline = simulation.timeAt(instance) + invocationMs.request;
    const ports = portsFor(world, instance, { holder: { key, secretId: scope.secretId }, secretAgeMs });
    const audit = {};
    const request = { scope, key, callerArn: arnOf(caller, 0), minTtlSeconds: 60, deadline, audit };
    simulation.tell(instance, () => `asks again, as ${nameOf(key)}`);
    try {
      const { accessToken } = await core.issueToken(ports, request);
      simulation.tell(instance, () => `is answered: ${accessToken}`);
      return undefined;
    } catch (error) {
      const { name: kind, code } = error as { name?: string; code?: string };
      simulation.tell(instance, () => `is refused: ${code ?? kind} ${JSON.stringify(audit)}`);
      return code ?? kind ?? "error";
    } finally {
      this.seen.conclude(instance, request);
    }
  }

  /** A sweep a minute, except in minutes with nothing due. */
  private async sweepOn(): Promise<void> {
    const { simulation, world, broken } = this.seen;
    const scheduler = this.newInstance("scheduler");
    let waitingForSecond: readonly MadeToken[] = [];
    for (let minute = 0; minute < mostMinutes; minute++) {
      const beganAt = simulation.now;
      const next = this.nextDueAt();
      if (next === undefined && this.askers === 0 && minute > 0) return;
      // A sweep without a find shows nothing.
      if (minute === 0 || waitingForSecond.length > 0 || (next ?? Number.POSITIVE_INFINITY) <= beganAt) {
        const instance = this.newInstance("sweep");
        const due = this.dueAt(simulation.timeAt(instance));
        await this.sweep(instance);
        for (const made of waitingForSecond)
          if (world.isAlive(made))
            broken.push(`what is to be dead is dead within two sweeps: ${made.token} is alive`);
        this.judgeOverdue();
        waitingForSecond = due.filter((made) => world.isAlive(made));
      }
      await simulation.wait(scheduler, "waits", beganAt + sweepEveryMs - simulation.now);
    }
    broken.push("the sweeper comes to an end");
  }

  private async sweep(instance: Instance): Promise<void> {
    const { core, simulation, world } = this.seen;
    const deadline = simulation.timeAt(instance) + invocationMs.sweep;
    const swept = await core.sweep(portsFor(world, instance), { deadline, audit: {} });
    simulation.tell(instance, () => JSON.stringify(swept));
  }

  /** Tokens of well accounts for a sweep at this time to end. The index lags, and these are due for longer than the lag. */
  private dueAt(now: number): readonly MadeToken[] {
    const { world } = this.seen;
    const time = now - world.scenario.indexLagMs;
    const due: MadeToken[] = [];
    for (const { slot } of world.slots.values()) {
      const rows = [
        ...slot.outbox.filter(({ retryAt, since }) => Math.max(retryAt, since) <= time),
        ...[...slot.superseded, ...(slot.lease ? [slot.lease] : [])]
          .filter(({ endsAt }) => endsAt <= time)
          .map((each) => ({ ...each, attempts: 0 })),
      ];
      for (const row of rows) {
        const made = world.byToken.get(tokenIn(row));
        if (!made || !world.isAlive(made) || world.isUnwell(made)) continue;
        if (!world.waitsBehindCrowd(made, row.attempts)) due.push(made);
      }
    }
    return due;
  }

  /** When the sweeper is needed next, unwell accounts aside. */
  private nextDueAt(): number | undefined {
    const { world } = this.seen;
    let next = Number.POSITIVE_INFINITY;
    const isWell = (row: { sealed: Uint8Array }) => {
      const made = world.byToken.get(tokenIn(row));
      return !made || !world.isUnwell(made);
    };
    for (const { slot } of world.slots.values()) {
      if (slot.mint) next = Math.min(next, slot.mint.until + skewMs);
      for (const row of slot.outbox) if (isWell(row)) next = Math.min(next, row.retryAt);
      for (const row of [...slot.superseded, ...(slot.lease ? [slot.lease] : [])])
        if (isWell(row)) next = Math.min(next, row.endsAt);
    }
    for (const { control } of world.scopeControls.values())
      if (control.job) next = Math.min(next, control.job.at);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Asks Looker, not the rows. Revoked and expired leases are dead after a logout's longest back-off and two sweeps. */
  private judgeOverdue(): void {
    const { world, simulation, revocations, broken, scenario } = this.seen;
    const life = Math.min(leaseMs, scenario.lookerLifeMs);
    const boundMs = longestLogoutBackoffMs + 2 * sweepEveryMs + invocationMs.sweep + 2 * skewMs;
    for (const made of world.tokens) {
      if (!world.isAlive(made) || this.seen.isLost(made) || world.isUnwell(made)) continue;
      const revoked = revocations.some(
        ({ answeredAtStop, covers }) => answeredAtStop !== undefined && covers(made),
      );
      const since = Math.max(this.startedAt, revoked ? 0 : made.madeAt + life);
      if (simulation.now > since + boundMs)
        broken.push(`a lease ends when the scope says, or an operator: ${made.token} is alive`);
    }
  }

  private judgeEnd(): void {
    const { world, broken } = this.seen;
    for (const { key, slot } of world.slots.values()) {
      if (slot.mint) broken.push(`every lock comes to its end: ${nameOf(key)}`);
      const left = tokensIn(slot).filter((row) => {
        const made = world.byToken.get(tokenIn(row));
        return !made || !world.isUnwell(made);
      });
      if (left.length > 0) broken.push(`the sweeper ends what is over: ${nameOf(key)}`);
    }
    for (const [scope, { control }] of world.scopeControls)
      if (control.job) broken.push(`every job comes to its end: ${scope}`);
    for (const made of world.tokens)
      if (world.isAlive(made) && !world.isUnwell(made) && !this.seen.isLost(made))
        broken.push(`a lease ends when the scope says: ${made.token} is alive`);
    // Nothing gives up silently: each unconfirmed token is still tracked.
    this.seen.judgeTracking();
  }

  /** Looker ends unconfirmed tokens by itself. After their end no row shows them any more. */
  private async outlive(): Promise<void> {
    const { simulation, world, broken } = this.seen;
    const rowsAreEmpty = () => [...world.slots.values()].every(({ slot }) => tokensIn(slot).length === 0);
    if (rowsAreEmpty()) return;
    const lives = world.tokens.map(({ usable, madeAt, lookerEndsAt }) =>
      usable ? lookerEndsAt : Math.max(lookerEndsAt, madeAt + longestLoginMs + assumedLifeMs),
    );
    const last = Math.max(...lives);
    const scheduler = this.newInstance("scheduler");
    const overAt = last + longestLogoutBackoffMs + 3 * skewMs + 10_000;
    for (let sweeps = 0; sweeps < 2; sweeps++) {
      await simulation.wait(scheduler, "waits", Math.max(overAt - simulation.now, sweepEveryMs));
      await this.sweep(this.newInstance("sweep"));
    }
    if (!rowsAreEmpty()) broken.push("what Looker has ended by itself is in no row");
  }
}
