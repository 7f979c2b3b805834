/** What is outside of the instances, and what really is known of each token and row, whatever anyone believes. */
import type { ScopeControl, SecretControl } from "../../functions/domain/control.ts";
import type { TrackedToken } from "../../functions/domain/lease.ts";
import type { SessionBudget } from "../../functions/domain/session-budget.ts";
import type { Slot } from "../../functions/domain/slot.ts";
import type { CallerKey, SealIdentity, SlotKey, Unavailable } from "../../functions/use-cases/ports.ts";
import { clientIdOf, keyOf } from "./configurations.ts";
import type { Core } from "./core.ts";
import type { LookerState, Scenario } from "./scenario.ts";
import { type Call, CallLost, type Instance, type Simulation } from "./simulation.ts";

/** The core's own, so that a mutant's can be put in their place: its errors are known by its own classes. */
type Parts = Pick<Core, "dueAt" | "emptySlot" | "maxTracked" | "newScopeControl" | "newSecretControl"> &
  Pick<Core, "newSessionBudget"> &
  Pick<Core, "sealIdentity" | "Unavailable" | "Unreadable">;

export interface MadeToken {
  readonly token: string;
  readonly key: SlotKey;
  readonly baseUrl: string;
  readonly secretId: string;
  readonly clientId: string;
  readonly minter: Instance;
  /** When the login arrived at Looker. */
  readonly madeAtStop: number;
  readonly madeAt: number;
  readonly lookerEndsAt: number;
  /** The answer to its login was one that can be used. */
  readonly usable: boolean;
  /** One of the tokens that wait in the way of the others. */
  readonly crowd: boolean;
  loggedOutAt?: number;
  loggedOutBy?: Instance;
  /** Its login's answer never reached the minter. */
  answerLost?: boolean;
  /** None if it could not be sealed. */
  leaseId?: string;
  /** By which stop some row showed it first, and showed it as its lease. */
  trackedAtStop?: number;
  leaseAtStop?: number;
  /** How often its minter asked Looker to end it. */
  endedInHand?: number;
}

/** A login that reached Looker. */
interface Attempt {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly at: number;
  readonly accepted: boolean;
  readonly minter: Instance;
}

/** A slot with what it was. */
interface StoredSlot {
  readonly key: SlotKey;
  slot: Slot;
  /** By which stop the row bore each name first. */
  readonly namedAtStop: Map<string, number>;
  /** What the index was to show, and since when. */
  readonly due: { readonly at: number; readonly dueAt: number | undefined }[];
}

interface StoredControl {
  control: ScopeControl;
  readonly due: { readonly at: number; readonly dueAt: number | undefined }[];
}

/** Whose tokens an instance's logins make. */
export interface Holder {
  readonly key: SlotKey;
  readonly secretId: string;
}

/** More tokens than this meet a Looker that is slow besides. */
export const largeCrowd = 100;

export const callerOf = ({ scope, uniqueId }: CallerKey): string => `${scope}/${uniqueId}`;
export const nameOf = (key: SlotKey): string =>
  key.session === undefined ? callerOf(key) : `${callerOf(key)}/${key.session}`;
export const tokenIn = ({ sealed }: Pick<TrackedToken, "sealed">): string => new TextDecoder().decode(sealed);
export const tokensIn = ({ lease, superseded, outbox }: Slot): readonly TrackedToken[] => [
  ...(lease ? [lease] : []),
  ...superseded,
  ...outbox,
];

export class World {
  readonly slots = new Map<string, StoredSlot>();
  readonly scopeControls = new Map<string, StoredControl>();
  readonly secretControls = new Map<string, SecretControl>();
  readonly sessionBudgets = new Map<string, SessionBudget>();
  readonly tokens: MadeToken[] = [];
  readonly byToken = new Map<string, MadeToken>();
  readonly attempts: Attempt[] = [];
  /** Whose lock somebody else cleared or took over: its token may be on the way to its end, unknown to everyone. */
  readonly clearedLocks = new Set<Instance>();
  /** Until when each has or had its lock, by its own clock. */
  readonly locks = new Map<Instance, { readonly until: number }>();
  /** Rules that were broken under way. */
  readonly broken: string[] = [];
  /** By whom: how often. */
  readonly locksCleared = new Map<Instance, number>();
  readonly loginsUnderWay = new Map<string, number>();
  logins = 0;
  overlappingLogins = 0;
  mostTracked = 0;
  lookerState: LookerState = "up";
  readonly simulation: Simulation;
  readonly scenario: Scenario;
  readonly parts: Parts;
  /** By secret: when each version was stored, and whether it is right whatever the scenario says. */
  private readonly versions = new Map<string, { storedAt: number; good: boolean }[]>();
  private readonly instances = new Map<string, Instance>();
  private readonly sealedUnder = new Map<string, string>();
  private ids = 0;

  constructor(simulation: Simulation, scenario: Scenario, parts: Parts) {
    this.simulation = simulation;
    this.scenario = scenario;
    this.parts = parts;
  }

  isAlive(made: MadeToken): boolean {
    return made.loggedOutAt === undefined && this.simulation.now < made.lookerEndsAt;
  }

  /** Whether Looker does not confirm its logouts, as the scenario has it. */
  isUnwell({ secretId, crowd }: Pick<MadeToken, "secretId" | "crowd">): boolean {
    const { unwell } = this.scenario;
    if (!unwell) return false;
    const unwellSecret = unwell.scope === "finance" ? "looker/finance" : "looker/shared";
    // A clear "not confirmed" is about one token. What fails or hangs is the account's trouble: all of its tokens may wait.
    const crowdOnly = unwell.crowdOnly && unwell.logouts === "unconfirmed";
    return secretId === unwellSecret && (crowd || !crowdOnly);
  }

  /** Within an account the fewest attempts come first, so more tokens than a sweep gets through may go before this one. */
  waitsBehindCrowd({ secretId }: Pick<MadeToken, "secretId">, attempts: number): boolean {
    const crowd = this.scenario.unwell?.crowd ?? 0;
    return attempts > 0 && crowd > largeCrowd && this.isUnwell({ secretId, crowd: true });
  }

  slotAt(key: SlotKey): Slot {
    return this.slots.get(nameOf(key))?.slot ?? this.parts.emptySlot;
  }

  setSlot(key: SlotKey, slot: Slot, writer: Instance): void {
    const before = this.slotAt(key).mint;
    if (before && before.owner !== slot.mint?.owner) {
      const owner = this.ownerOf(before.owner);
      if (owner && owner !== writer) {
        this.clearedLocks.add(owner);
        this.locksCleared.set(writer, (this.locksCleared.get(writer) ?? 0) + 1);
      }
    }
    let stored = this.slots.get(nameOf(key));
    if (!stored) {
      stored = { key, slot, namedAtStop: new Map(), due: [] };
      this.slots.set(nameOf(key), stored);
    }
    stored.slot = slot;
    stored.due.push({ at: this.simulation.now, dueAt: this.parts.dueAt(slot) });
    for (const name of slot.names)
      if (!stored.namedAtStop.has(name)) stored.namedAtStop.set(name, this.simulation.clock);
    const { clock } = this.simulation;
    for (const token of tokensIn(slot)) {
      const made = this.byToken.get(tokenIn(token));
      if (!made) continue;
      made.trackedAtStop ??= clock;
      if (token === slot.lease) made.leaseAtStop ??= clock;
    }
    const minter = slot.mint && this.ownerOf(slot.mint.owner);
    if (minter && slot.mint) this.locks.set(minter, { until: slot.mint.until });
    this.mostTracked = Math.max(this.mostTracked, slot.superseded.length + slot.outbox.length);
  }

  controlOf(scope: string): ScopeControl {
    return this.scopeControls.get(scope)?.control ?? this.parts.newScopeControl;
  }

  setControl(scope: string, control: ScopeControl): void {
    const due = this.scopeControls.get(scope)?.due ?? [];
    due.push({ at: this.simulation.now, dueAt: control.job?.at });
    this.scopeControls.set(scope, { control, due });
  }

  secretControlOf(secretId: string): SecretControl {
    return this.secretControls.get(secretId) ?? this.parts.newSecretControl;
  }

  sessionBudgetOf(caller: CallerKey): SessionBudget {
    return this.sessionBudgets.get(callerOf(caller)) ?? this.parts.newSessionBudget;
  }

  /** Tokens that some row names. */
  heldTokens(): Set<string> {
    const held = new Set<string>();
    for (const { slot } of this.slots.values()) for (const token of tokensIn(slot)) held.add(tokenIn(token));
    return held;
  }

  private versionsOf(secretId: string) {
    const known = this.versions.get(secretId) ?? [{ storedAt: 0, good: false }];
    this.versions.set(secretId, known);
    return known;
  }

  /** The latest version that was stored by then; the first is 1. */
  versionOf(secretId: string, at = Number.POSITIVE_INFINITY): number {
    return this.versionsOf(secretId).filter(({ storedAt }) => storedAt <= at).length;
  }

  storeVersion(secretId: string, good = false): number {
    const versions = this.versionsOf(secretId);
    versions.push({ storedAt: this.simulation.now, good });
    return versions.length;
  }

  isRight(secretId: string, clientId: string, baseUrl: string): boolean {
    const version = Number(clientId.slice(clientId.lastIndexOf("-v") + 2));
    if (clientId !== clientIdOf(secretId, version)) return false;
    const { firstRightVersion, wrongAtSecondUrl } = this.scenario;
    if (this.versionsOf(secretId)[version - 1]?.good) return true;
    return version >= firstRightVersion && !(wrongAtSecondUrl && baseUrl.includes("next"));
  }

  addToken(made: MadeToken): void {
    this.tokens.push(made);
    this.byToken.set(made.token, made);
  }

  /** Tokens of an unwell account that wait for their logout: a few to a row, or each in a row of its own. */
  letCrowdWait(): void {
    const { unwell } = this.scenario;
    if (!unwell) return;
    const { now, clock } = this.simulation;
    const minter: Instance = { name: "crowd", skewMs: 0, crashed: false, frozen: false };
    const secretId = unwell.scope === "finance" ? "looker/finance" : "looker/shared";
    const clientId = clientIdOf(secretId, 1);
    const baseUrl = "https://looker.example";
    const inRow = unwell.crowd > largeCrowd ? 1 : 4;
    for (let first = 0; first < unwell.crowd; first += inRow) {
      const key = keyOf(unwell.scope, 100 + first);
      const outbox = Array.from({ length: Math.min(inRow, unwell.crowd - first) }, (_, index) => {
        const token = `crowd-${first + index}`;
        const leaseId = `lease-of-${token}`;
        const lookerEndsAt = now + 3_600_000;
        const made = { token, key, baseUrl, secretId, clientId, minter, lookerEndsAt, leaseId };
        this.addToken({ ...made, usable: true, crowd: true, madeAtStop: clock, madeAt: now });
        const context = { leaseId, baseUrl, clientId };
        return {
          ...context,
          sealed: this.seal(token, this.parts.sealIdentity(key, context)),
          tokenSha256: "",
          issuedAt: now,
          endsAt: lookerEndsAt,
          lookerEndsAt,
          epoch: 0,
          digest: "",
          since: now - 60_000,
          attempts: 0,
          retryAt: now - 60_000,
        };
      });
      this.setSlot(key, { ...this.parts.emptySlot, version: 1, outbox }, minter);
    }
  }

  /** Remembers whose it is: a lock's owner is named by one. */
  newId(instance: Instance): string {
    const id = `${String.fromCharCode(48 + (this.ids % 16))}id-${++this.ids}`;
    this.instances.set(id, instance);
    return id;
  }

  ownerOf(id: string): Instance | undefined {
    return this.instances.get(id);
  }

  /** A call to one of AWS's services: a refusal and a lost answer look alike. */
  async ask<T>(
    instance: Instance,
    dependency: Unavailable["dependency"],
    call: Omit<Call, "dependency">,
    effect: () => T,
  ): Promise<T> {
    const refusable = dependency === "secretsmanager" ? undefined : dependency;
    try {
      return await this.simulation.call(instance, { ...call, dependency: refusable }, effect);
    } catch (error) {
      if (error instanceof CallLost) throw new this.parts.Unavailable(dependency);
      throw error;
    }
  }

  seal(token: string, context: SealIdentity): Uint8Array {
    this.sealedUnder.set(token, JSON.stringify(context));
    return new TextEncoder().encode(token);
  }

  unseal(sealed: Uint8Array, context: SealIdentity): string {
    const token = tokenIn({ sealed });
    if (this.sealedUnder.get(token) !== JSON.stringify(context)) throw new this.parts.Unreadable("context");
    return token;
  }
}
