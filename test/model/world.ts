/** What is outside of the instances: table, Looker, KMS, Secrets Manager; with what really is known of each token. */
import type { ScopeControl, SecretControl, Versioned } from "../../functions/domain/control.ts";
import type { TrackedToken } from "../../functions/domain/lease.ts";
import type { Slot } from "../../functions/domain/slot.ts";
import type {
  BrokerTable,
  ClientSecrets,
  Clock,
  DueRow,
  Ids,
  Looker,
  Rows,
  Sealer,
  SlotKey,
  Unavailable,
} from "../../functions/use-cases/ports.ts";
import type { OperatePorts } from "../../functions/use-cases/revoke-slots.ts";
import type { Core } from "./core.ts";
import { CallLost, type Instance, type Simulation } from "./simulation.ts";

/** The core's own, so that a mutant's can be put in their place: its errors are known by its own classes. */
type Parts = Pick<Core, "dueAt" | "emptySlot" | "Unavailable">;

export interface MadeToken {
  readonly token: string;
  readonly caller: string;
  readonly clientId: string;
  readonly minter: Instance;
  /** When the login arrived at Looker. */
  readonly madeAtStop: number;
  readonly madeAt: number;
  readonly lookerEndsAt: number;
  loggedOutAt?: number;
  /** Its login's answer never reached the minter. */
  answerLost?: boolean;
  /** None if it could not be sealed. */
  leaseId?: string;
}

export interface Setting {
  readonly rightSecret: boolean;
  readonly lookerLifeMs: number;
}

/** As the adapter gives up. */
const loginTimeoutMs = 8_000;
/** Two partitions are enough to be between them. */
const slotPartitions = 2;
const partitionOf = (caller: string) => Number(caller.slice(-1)) % slotPartitions;

export class World {
  readonly slots = new Map<string, { key: SlotKey; slot: Slot }>();
  readonly tokens: MadeToken[] = [];
  /** Logins that reached Looker, by version, with their time. */
  readonly attempts: { version: string; at: number; accepted: boolean }[] = [];
  readonly loginsUnderWay = new Map<string, number>();
  overlappingLogins = 0;
  mostTracked = 0;
  secretVersion = 1;
  lookerIsDown = false;
  control: ScopeControl = { version: 0, epoch: 0 };
  private secretControl: SecretControl = { version: 0, attempts: {}, throttledUntil: 0, deniedClientIds: [] };
  private ids = 0;
  private readonly simulation: Simulation;
  private readonly setting: Setting;
  private readonly parts: Parts;

  constructor(simulation: Simulation, setting: Setting, parts: Parts) {
    this.simulation = simulation;
    this.setting = setting;
    this.parts = parts;
  }

  isAlive(made: MadeToken): boolean {
    return made.loggedOutAt === undefined && this.simulation.now < made.lookerEndsAt;
  }

  /** All that an instance is given. `caller` is whose tokens its logins make. */
  portsOf(instance: Instance, caller: string): OperatePorts & { secrets: ClientSecrets } {
    const { simulation } = this;
    const clock: Clock = {
      now: () => simulation.timeAt(instance),
      sleep: async (milliseconds) => {
        await simulation.stop(instance, "wakes", milliseconds);
      },
    };
    const ids: Ids = { next: () => `${String.fromCharCode(48 + (this.ids % 16))}id-${++this.ids}` };
    return {
      clock,
      ids,
      table: this.tableFor(instance),
      looker: this.lookerFor(instance, caller),
      sealer: this.sealerFor(instance),
      secrets: this.secretsFor(instance),
    };
  }

  private async ask<T>(
    instance: Instance,
    dependency: Unavailable["dependency"],
    label: string,
    effect: () => T,
  ): Promise<T> {
    try {
      return await this.simulation.call(instance, label, effect);
    } catch (error) {
      if (error instanceof CallLost) throw new this.parts.Unavailable(dependency);
      throw error;
    }
  }

  private rows<Key, Row extends Versioned>(
    instance: Instance,
    name: string,
    get: (key: Key) => Row,
    set: (key: Key, row: Row) => void,
  ): Rows<Key, Row> {
    return {
      read: (key) => this.ask(instance, "dynamodb", `reads ${name}`, () => get(key)),
      write: (key, row, expectedVersion) =>
        this.ask(instance, "dynamodb", `writes ${name}`, () => {
          const held = get(key).version === expectedVersion;
          if (held) set(key, row);
          this.simulation.tell(
            instance,
            held ? `wrote ${name} ${describeRow(row)}` : `is refused a write of ${name}`,
          );
          return held;
        }),
    };
  }

  private slotAt(key: SlotKey & { callerArn?: string }): Slot {
    return this.slots.get(key.uniqueId)?.slot ?? this.parts.emptySlot(key.callerArn ?? "");
  }

  private tableFor(instance: Instance): BrokerTable {
    const slots = this.rows<SlotKey & { callerArn: string }, Slot>(
      instance,
      "slot",
      (key) => this.slotAt(key),
      (key, slot) => {
        this.slots.set(key.uniqueId, { key, slot });
        this.mostTracked = Math.max(this.mostTracked, slot.superseded.length + slot.outbox.length);
      },
    );
    const scopeControls = this.rows<string, ScopeControl>(
      instance,
      "scope control",
      () => this.control,
      (_, row) => {
        this.control = row;
      },
    );
    const secretControls = this.rows<string, SecretControl>(
      instance,
      "secret control",
      () => this.secretControl,
      (_, row) => {
        this.secretControl = row;
      },
    );
    return {
      slotPartitions,
      slots,
      scopeControls,
      secretControls,
      readForIssue: (key) =>
        this.ask(instance, "dynamodb", "reads slot and control", () => ({
          slot: this.slotAt(key),
          control: this.control,
        })),
      readControls: () =>
        this.ask(instance, "dynamodb", "reads controls", () => ({
          control: this.control,
          secretControl: this.secretControl,
        })),
      querySlots: (_scope, partition) =>
        this.ask(instance, "dynamodb", `queries partition ${partition}`, () => ({
          entries: [...this.slots.values()]
            .filter(({ key }) => partitionOf(key.uniqueId) === partition)
            .map(({ key, slot }) => ({ key: { ...key, callerArn: slot.callerArn }, slot })),
          unreadable: 0,
          next: undefined,
        })),
      queryDue: (now) =>
        this.ask(instance, "dynamodb", "queries what is due", () => [
          ...(this.control.job
            ? [{ kind: "scope", scope: "sales", dueAt: this.control.job.at } satisfies DueRow]
            : []),
          ...[...this.slots.values()].flatMap(({ key, slot }): DueRow[] => {
            const dueAt = this.parts.dueAt(slot) ?? Number.POSITIVE_INFINITY;
            return dueAt <= now ? [{ kind: "slot", key, dueAt }] : [];
          }),
        ]),
    };
  }

  private lookerFor(instance: Instance, caller: string): Looker {
    const { simulation, setting } = this;
    return {
      login: async (_url, { clientId }) => {
        const version = clientId;
        let made: MadeToken | undefined;
        const calledAt = simulation.now;
        const underWay = (this.loginsUnderWay.get(caller) ?? 0) + 1;
        this.loginsUnderWay.set(caller, underWay);
        if (underWay > 1) this.overlappingLogins++;
        // From at once to nearly the time-out.
        const delay = [5, 300, 2_000, 7_000][this.tokens.length % 4];
        try {
          return await simulation.call(
            instance,
            "logs in",
            () => {
              // The call's own time-out fires when the instance thaws, before anything is sent.
              if (simulation.now - calledAt > loginTimeoutMs) throw new CallLost("timed out");
              const accepted = setting.rightSecret && !this.lookerIsDown;
              if (!this.lookerIsDown) this.attempts.push({ version, at: simulation.now, accepted });
              if (!accepted)
                return this.lookerIsDown ? { kind: "failed", reason: "down" } : { kind: "rejected" };
              const token = `token-${this.tokens.length + 1}`;
              made = {
                token,
                caller,
                clientId,
                minter: instance,
                madeAtStop: simulation.clock,
                madeAt: simulation.now,
                lookerEndsAt: simulation.now + setting.lookerLifeMs,
              };
              this.tokens.push(made);
              simulation.tell(instance, `Looker made ${token} for ${caller}`);
              return {
                kind: "token",
                accessToken: token,
                expiresInSeconds: setting.lookerLifeMs / 1_000,
              } as const;
            },
            delay,
          );
        } catch (error) {
          if (!(error instanceof CallLost)) throw error;
          if (made) made.answerLost = true;
          return { kind: "unknown", reason: "lost" };
        } finally {
          this.loginsUnderWay.set(caller, (this.loginsUnderWay.get(caller) ?? 1) - 1);
        }
      },
      logout: async (_url, token) => {
        try {
          return await simulation.call(instance, `logs ${token} out`, () => {
            if (this.lookerIsDown) return "unconfirmed";
            const made = this.tokens.find((each) => each.token === token);
            if (made && made.loggedOutAt === undefined) {
              made.loggedOutAt = simulation.now;
              simulation.tell(instance, `Looker ended ${token}`);
            }
            return "ended";
          });
        } catch (error) {
          if (!(error instanceof CallLost)) throw error;
          return "unconfirmed";
        }
      },
    };
  }

  private sealerFor(instance: Instance): Sealer {
    return {
      seal: async (token, { lease_id }) => {
        const made = this.tokens.find((each) => each.token === token);
        const sealed = await this.ask(instance, "kms", "seals", () => new TextEncoder().encode(token));
        if (made) made.leaseId = lease_id;
        return sealed;
      },
      unseal: (sealed) => this.ask(instance, "kms", "unseals", () => new TextDecoder().decode(sealed)),
    };
  }

  private secretsFor(instance: Instance): ClientSecrets {
    const read = () =>
      this.ask(instance, "secretsmanager", "reads the secret", () => ({
        clientId: `client-${this.secretVersion}`,
        clientSecret: "secret",
        versionId: `client-${this.secretVersion}`,
        readAt: this.simulation.timeAt(instance),
      }));
    return { current: read, reread: read };
  }
}

const names = (tokens: readonly TrackedToken[]) =>
  tokens.map(({ sealed }) => new TextDecoder().decode(sealed)).join(",");

function describeRow(row: object): string {
  if (!("outbox" in row)) return JSON.stringify(row);
  const { lease, superseded, outbox, mint, failure } = row as Slot;
  return [
    `lease=${lease ? names([lease]) : "-"}`,
    superseded.length > 0 ? `superseded=${names(superseded)}` : "",
    outbox.length > 0 ? `outbox=${names(outbox)}` : "",
    mint ? `lock=${mint.owner}${mint.doomed ? " doomed" : ""}` : "",
    failure ? `failure=${failure.code}` : "",
  ]
    .filter(Boolean)
    .join(" ");
}
