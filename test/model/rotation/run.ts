/**
 * One rotation from its begin to the end of the old pair, driven by Secrets Manager, the schedule, callers and people. The scenario
 * has the faults and the order of calls.
 */

import type { Scope } from "../../../functions/domain/scope.ts";
import type { AuditFields, RotationStep } from "../../../functions/use-cases/record.ts";
import type { Strike } from "../simulation.ts";
import type { RotationCore } from "./core.ts";
import { serviceUser } from "./looker-accounts.ts";
import { portsFor } from "./ports.ts";
import { baseUrl, broker, functionArn, secretName, versionName, World, type WorldSettings } from "./world.ts";

/** Deeds of people, and an outage of Looker. */
export type Deed =
  | "deny the old pair"
  | "deny the pending pair"
  | "deny the current pair"
  | "roll back"
  | "Looker is away"
  | "somebody makes a pair"
  | "the new pair is deleted"
  | "rotate again";

export interface Scenario {
  readonly settings: WorldSettings;
  readonly order: readonly number[];
  readonly strikes: readonly Strike[];
  /** Every invocation is made twice, the second so long after the first. */
  readonly secondAfterMs?: number | undefined;
  /** From one retirement run to the next. */
  readonly retireEveryMinutes: number;
  /** By the number of ended invocations. */
  readonly deeds: readonly { readonly after: number; readonly deed: Deed }[];
}

export const plain: Scenario = {
  settings: {
    ...{ own: false, twoScopes: false, endsTokens: true, logsOutOrphans: true },
    ...{ ownPairs: true, administratorMay: true, administratorWorks: true, maxPairs: 10 },
  },
  order: [0],
  strikes: [],
  retireEveryMinutes: 5,
  deeds: [],
};

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Of the rotation's function. */
const timeoutMs = 120_000;
const steps: readonly RotationStep[] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

export interface Outcome {
  readonly world: World;
  readonly stops: number;
  /** Of all invocations without a kill. */
  readonly failures: readonly string[];
  readonly possibleOrphans: number;
  readonly refusals: readonly string[];
  /** Refusals after the end. */
  readonly lastRefusals: number;
  readonly unforeseen: readonly string[];
  readonly done: Set<Deed>;
  readonly gaveUp: boolean;
  /** A later rotation may have come to its end. */
  readonly gaveUpOnce: boolean;
}

/** @param prepare changes the world before the rotation begins */
export async function play(
  core: RotationCore,
  scenario: Scenario,
  telling = false,
  prepare: (world: World) => void = () => {},
): Promise<Outcome> {
  const run = new Run(core, scenario, telling);
  prepare(run.world);
  const played = run.play().catch((error: unknown) => {
    run.unforeseen.push(String((error as Error).stack ?? error));
  });
  await run.world.simulation.run();
  await played;
  return {
    ...{ world: run.world, stops: run.world.simulation.clock, failures: run.failures },
    ...{ possibleOrphans: run.possibleOrphans, refusals: run.refusals, unforeseen: run.unforeseen },
    ...{ done: run.done, gaveUp: run.gaveUp, gaveUpOnce: run.gaveUpOnce, lastRefusals: run.lastRefusals },
  };
}

class Run {
  readonly world: World;
  readonly failures: string[] = [];
  readonly refusals: string[] = [];
  readonly unforeseen: string[] = [];
  readonly done = new Set<Deed>();
  possibleOrphans = 0;
  lastRefusals = 0;
  gaveUp = false;
  gaveUpOnce = false;
  private readonly scenario: Scenario;
  private invocations = 0;
  private versions = 0;
  private callers = 0;
  /** Instances of issue-token for the callers. */
  private readonly warm;

  constructor(core: RotationCore, scenario: Scenario, telling: boolean) {
    this.scenario = scenario;
    const { settings, order, strikes } = scenario;
    this.world = new World(core, settings, { order, strikes, telling });
    this.warm = portsFor(this.world, this.world.network, true);
  }

  async play(): Promise<void> {
    await this.fetchTokens();
    await this.doDeeds();
    await this.rotate();
    if (this.done.has("rotate again")) await this.rotate();
    const { secret } = this.world;
    // As an operator does in the end, or the next day of the schedule.
    for (let more = 0; more < 2 && this.gaveUp; more++) {
      this.gaveUp = false;
      this.gaveUpOnce = true;
      await this.pass(60 * minuteMs);
      if (secret.at("AWSPENDING") !== secret.at("AWSCURRENT")) await this.rotate();
    }
    await this.retire();
    this.world.simulation.calmDown();
    this.world.accounts.awayUntil = 0;
    await this.pass(60 * minuteMs);
    const before = this.refusals.length;
    await this.fetchTokens();
    this.lastRefusals = this.refusals.length - before;
  }

  private pass(milliseconds: number, label = "time passes"): Promise<void> {
    return this.world.simulation.wait(this.world.network, label, milliseconds);
  }

  /** As Secrets Manager does it: after a failed step the whole rotation once more, under the same version. */
  private async rotate(): Promise<void> {
    const versionId = versionName(++this.versions);
    const { secret } = this.world;
    secret.begin(versionId);
    for (let tries = 1; tries <= 15; tries++) {
      let failed = false;
      for (const step of steps) {
        failed = !(await this.invoke(step, versionId));
        if (failed) break;
      }
      if (!failed && secret.at("AWSCURRENT") === versionId) {
        secret.lastRotatedAt = this.world.simulation.now;
        return;
      }
      // Without its stage a version is given up, and the next rotation begins.
      if (secret.at("AWSPENDING") !== versionId && secret.at("AWSCURRENT") !== versionId)
        return await this.rotate();
      await this.pass(tries * 2 * minuteMs, "Secrets Manager tries again");
    }
    this.gaveUp = true;
  }

  /** @returns whether a step came to its end */
  private async invoke(step: RotationStep | "retire", versionId: string): Promise<boolean> {
    const once = () => this.invokeOnce(step, versionId);
    const { secondAfterMs } = this.scenario;
    const second = secondAfterMs === undefined ? [] : [this.pass(secondAfterMs).then(once)];
    const ends = await Promise.all([once(), ...second]);
    this.invocations++;
    await this.doDeeds();
    return ends.includes(true);
  }

  private async doDeeds(): Promise<void> {
    for (const { after, deed } of this.scenario.deeds)
      if (after === this.invocations) await this.carryOut(deed);
  }

  private async invokeOnce(step: RotationStep | "retire", versionId: string): Promise<boolean> {
    const { world } = this;
    const { core, simulation } = world;
    const instance = world.instance(step);
    const ports = portsFor(world, instance);
    const audit: AuditFields = {};
    const deadline = simulation.now + timeoutMs - 3_000;
    const secrets = new Map([[secretName, world.rotating]]);
    const work =
      step === "retire"
        ? core.retirePairs(ports, { secrets: secrets.values(), deadline, audit })
        : core.rotateSecret(
            ports,
            { step, secretId: world.secret.arn, versionId },
            { broker, functionArn, secrets, deadline, audit },
          );
    let ended = false;
    const end = work.then(
      () => true,
      (error: unknown) => {
        const { name, reason } = error as { name?: string; reason?: string };
        if (name !== "RotationFailure" || reason === "internal") this.unforeseen.push(describe(error));
        return false;
      },
    );
    const timeout = async () => {
      // In pieces, so an ended invocation needs no more of them.
      for (let passed = 0; passed < timeoutMs && !ended; passed += 20_000) await this.pass(20_000, "waits");
      return false;
    };
    const succeeded = await Promise.race([end, timeout()]);
    ended = true;
    if (instance.crashed) world.killed.add(instance.name);
    this.possibleOrphans += audit.possible_orphans ?? 0;
    for (const note of audit.rotations ?? [])
      if (note.reason !== undefined) this.failures.push(`${note.step}: ${note.reason}`);
    return succeeded;
  }

  private async retire(): Promise<void> {
    const { world, scenario } = this;
    const until = world.simulation.now + 8 * dayMs;
    const pauses = [1, 5, 5, 60, 24 * 60];
    for (let run = 0; world.simulation.now < until; run++) {
      await this.invoke("retire", "");
      await this.sweep();
      await this.fetchTokens();
      const { rotation } = await world.control();
      // A pair in use again waits for its next replacement.
      const isDone = (rotation?.retiring ?? []).every(({ movedAt }) => movedAt === undefined);
      if (run >= pauses.length && isDone && !isLocked(rotation, world)) return;
      const minutes = pauses[run] ?? scenario.retireEveryMinutes;
      await this.pass(Math.max(minutes, Math.min(scenario.retireEveryMinutes, 24 * 60)) * minuteMs);
    }
  }

  private async sweep(): Promise<void> {
    const audit: AuditFields = {};
    await this.world.core.sweep(this.warm, { audit, deadline: this.world.simulation.now + 60_000 });
  }

  /** One old service, and one new one. */
  private async fetchTokens(): Promise<void> {
    const { world } = this;
    this.callers++;
    for (const scope of world.rotating.scopes)
      for (const number of [0, this.callers]) {
        const uniqueId = `AROACALLER${String(number).padStart(10, "0")}`;
        const key = { scope, account: "111122223333", uniqueId };
        const callerArn = "arn:aws:iam::111122223333:role/report-service";
        const deadline = world.simulation.now + 28_000;
        const request = { scope: scopeOf(scope), key, callerArn, minTtlSeconds: 60, deadline, audit: {} };
        await world.core.issueToken(this.warm, request).catch((error: unknown) => {
          this.refusals.push(
            `${(error as { code?: string }).code}: ${(error as { detail?: string }).detail}`,
          );
        });
      }
  }

  private async carryOut(deed: Deed): Promise<void> {
    const { world } = this;
    const { simulation, accounts, secret } = world;
    simulation.tell(world.network, () => `people: ${deed}`);
    this.done.add(deed);
    switch (deed) {
      case "deny the old pair":
        return await this.deny(world.first.clientId);
      case "deny the pending pair":
        if (secret.at("AWSPENDING") === secret.at("AWSCURRENT")) return void this.done.delete(deed);
        return await this.deny(secret.valueAt("AWSPENDING")?.clientId ?? "nobody");
      case "deny the current pair":
        return await this.deny(secret.valueAt("AWSCURRENT")?.clientId ?? "");
      case "roll back": {
        const [current, previous] = [secret.at("AWSCURRENT"), secret.at("AWSPREVIOUS")];
        const pair = accounts.find(secret.valueAt("AWSPREVIOUS")?.clientId ?? "");
        if (current !== undefined && previous !== undefined && pair)
          secret.move("AWSCURRENT", current, previous);
        else this.done.delete(deed);
        return;
      }
      case "Looker is away":
        accounts.awayUntil = simulation.now + 10 * minuteMs;
        return;
      case "somebody makes a pair":
        // Within the same minute nobody could tell it from a pair of a run that was killed.
        await this.pass(2 * minuteMs);
        accounts.create(serviceUser, "others");
        return;
      case "the new pair is deleted": {
        const pending = accounts.find(secret.valueAt("AWSPENDING")?.clientId ?? "");
        const versionId = secret.at("AWSPENDING") ?? "";
        // Between its test and the move of the stage nobody looks again.
        const isTested = world.core.isProven(await world.control(), { versionId, baseUrl });
        if (pending && versionId !== secret.at("AWSCURRENT") && !isTested) accounts.remove(pending);
        else this.done.delete(deed);
        return;
      }
      case "rotate again":
        return;
    }
  }

  private async deny(clientId: string): Promise<void> {
    this.world.deniedAt.set(clientId, this.world.simulation.now);
    const deadline = this.world.simulation.now + 28_000;
    for (const name of this.world.rotating.scopes)
      await this.world.core.revokeLeases(
        this.warm,
        { scope: scopeOf(name), deadline, audit: {} },
        { clientId },
      );
  }
}

const isLocked = (rotation: { lock?: { until: number } | undefined } | undefined, { simulation }: World) =>
  rotation?.lock !== undefined && rotation.lock.until > simulation.now;

const describe = (error: unknown) => String((error as Error).cause ?? error);

const scopeOf = (name: string): Scope => ({
  ...{ name, baseUrl, secretId: secretName, callers: [], operators: [] },
  ...{ leaseSeconds: 900, mintsPerTenMinutes: 60, sessionMintsPerTenMinutes: 60 },
});
