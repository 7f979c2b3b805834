/** Everything around the rotation's functions: Looker, the secrets, the table, and one timeline. */
import type { RotatingSecret } from "../../../functions/use-cases/rotation-job.ts";
import { fakeSealer } from "../../support/fakes/fake-sealer.ts";
import { type MemorySlotTable, memorySlotTable } from "../../support/fakes/memory-slot-table.ts";
import { type Instance, Simulation, type Strike } from "../simulation.ts";
import type { RotationCore } from "./core.ts";
import {
  Accounts,
  administratorUser,
  type LookerSettings,
  type Pair,
  serviceUser,
} from "./looker-accounts.ts";
import { Secret } from "./secret.ts";

export const functionArn = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
export const broker = "model/Broker";
export const baseUrl = "https://example.cloud.looker.com";
export const secretName = "looker/sales";
const administratorName = "looker/rotator";
export const versionName = (number: number) => `version-${String(number).padStart(24, "0")}`;

export interface WorldSettings extends LookerSettings {
  /** The service account replaces its own pair. */
  readonly own: boolean;
  readonly twoScopes: boolean;
}

export class World {
  readonly core: RotationCore;
  readonly settings: WorldSettings;
  readonly simulation: Simulation;
  readonly accounts: Accounts;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly secret: Secret;
  readonly table: MemorySlotTable;
  readonly sealer = fakeSealer();
  readonly rotating: RotatingSecret;
  /** The pair at the beginning, and one that others made. */
  readonly first: Pair;
  readonly foreign: Pair;
  readonly network: Instance = { name: "network", skewMs: 0, crashed: false, frozen: false };
  /** Invocations that were killed, by name. */
  readonly killed = new Set<string>();
  /** Client ids that operators denied, and when. */
  readonly deniedAt = new Map<string, number>();
  /** When another pair took the place of each. */
  readonly replacedAt = new Map<string, number>();
  private named = 0;

  constructor(
    core: RotationCore,
    settings: WorldSettings,
    chance: { order: readonly number[]; strikes: readonly Strike[]; telling: boolean },
  ) {
    this.core = core;
    this.settings = settings;
    this.simulation = new Simulation(chance.order, chance.strikes, chance.telling);
    const now = () => this.simulation.now;
    this.table = memorySlotTable({ now });
    this.accounts = new Accounts(settings, now);
    this.secret = new Secret(secretName, functionArn);
    const administrator = new Secret(administratorName, functionArn);
    this.secrets = new Map([
      [secretName, this.secret],
      [this.secret.arn, this.secret],
      [administratorName, administrator],
    ]);
    // The pairs of before are old.
    this.simulation.now -= 30 * 86_400_000;
    this.first = this.accounts.create(serviceUser, "broker", "client-first");
    this.foreign = this.accounts.create(serviceUser, "others", "client-foreign");
    const manager = this.accounts.create(administratorUser, "others", "client-administrator");
    this.simulation.now += 30 * 86_400_000;
    this.secret.put(versionName(0), this.first, "AWSCURRENT");
    const { clientId, clientSecret } = manager;
    const right = settings.administratorWorks ? clientSecret : "wrong";
    administrator.put("administrator-version", { clientId, clientSecret: right }, "AWSCURRENT");
    this.rotating = {
      ...{ secretId: secretName, baseUrl, everyDays: 30 },
      ...(settings.own ? {} : { administratorId: administratorName }),
      scopes: settings.twoScopes ? ["sales", "people"] : ["sales"],
    };
    this.secret.onCurrent = (value, before) => {
      if (before) this.replacedAt.set(before.clientId, now());
      if (!this.accounts.find(value?.clientId ?? ""))
        this.accounts.violations.push("the current version has no pair at Looker");
    };
  }

  instance(name: string): Instance {
    return { name: `${name}-${++this.named}`, skewMs: 0, crashed: false, frozen: false };
  }

  newId(): string {
    return `id-${String(++this.named).padStart(12, "0")}`;
  }

  control() {
    return this.table.secretControls.read(secretName);
  }
}
