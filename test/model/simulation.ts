/**
 * A fleet on one virtual timeline. Every call that leaves an instance stops twice, before its effect and before its answer;
 * which of the stopped instances goes on next, and which faults strike where, is what a run decides.
 */

type Fault =
  /** The process is gone, with everything that it had under way. */
  | { readonly kind: "crash" }
  /** The process stands still, with everything that it has under way. */
  | { readonly kind: "freeze"; readonly forMs: number }
  /** A call is refused before its effect, or its answer is lost after it. */
  | { readonly kind: "lose" }
  /** A write times out and takes effect afterwards, if its condition still holds then. */
  | { readonly kind: "late"; readonly byMs: number }
  /** A call takes that much longer, on its way there or on its way back. */
  | { readonly kind: "slow"; readonly byMs: number }
  /** A write's answer is lost, and the SDK sends it once more. */
  | { readonly kind: "twice" }
  /** A dependency refuses everything for some time. It may begin with a write whose answer is lost. */
  | {
      readonly kind: "outage";
      readonly of: "dynamodb" | "kms";
      readonly forMs: number;
      readonly losesAnswer: boolean;
    };

/** A fault, and the first stop that it can strike: counted from the start, or from when Looker made the n-th token. */
export interface Strike {
  readonly fault: Fault;
  readonly afterToken: number;
  readonly atStop: number;
  /** It waits for a call about a scope's control item, where a freeze and a job are. */
  readonly onControl: boolean;
}

export interface Instance {
  readonly name: string;
  /** How far its clock is off. */
  readonly skewMs: number;
  crashed: boolean;
  frozen: boolean;
}

/** A call without an answer. It may have taken effect, or take effect later. */
export class CallLost extends Error {}

/** Where an instance stands. Writes are the calls whose effect may come late. */
type Place = "waits" | "asks" | "writes" | "is answered" | "write is answered";

type Proceed = "on" | "lost" | "twice" | { readonly lateByMs: number };

interface Stop {
  readonly instance: Instance;
  readonly place: Place;
  readonly label: string;
  wakeAt: number;
  readonly proceed: (how: Proceed) => void;
}

export interface Call {
  readonly label: string;
  readonly dependency?: "dynamodb" | "kms" | undefined;
  readonly isWrite?: boolean;
  readonly answerAfterMs?: number | undefined;
}

const startsAt = 1_700_000_000_000;
/** As the SDK gives up: two attempts of a second each. */
const writeTimeoutMs = 2_000;

export class Simulation {
  now = startsAt;
  /** Counts stops: the order of everything that happened. */
  clock = 0;
  readonly story: string[] = [];
  private readonly stops: Stop[] = [];
  private readonly order: readonly number[];
  private readonly telling: boolean;
  private strikes: Strike[];
  /** Nothing fails any more. */
  isCalm = false;
  private readonly refusingUntil = new Map<string, number>();
  /** At which stop Looker made its n-th token. */
  private readonly tokenMadeAt: number[] = [0];
  /** Late effects belong to nobody: no crash or freeze stops them. */
  private readonly network: Instance = { name: "network", skewMs: 0, crashed: false, frozen: false };

  /** @param telling whether the story is kept: only a failure's is read */
  constructor(order: readonly number[], strikes: readonly Strike[], telling: boolean) {
    this.order = order;
    this.strikes = [...strikes];
    this.telling = telling;
  }

  /** From now on nothing fails. */
  calmDown(): void {
    this.isCalm = true;
    this.strikes = [];
    this.refusingUntil.clear();
  }

  /** Faults may wait for a token: for the stops just after a login, where most can go wrong. */
  noteTokenMade(): void {
    this.tokenMadeAt.push(this.clock);
  }

  /** @param text made only if somebody reads it */
  tell(instance: Instance, text: () => string): void {
    if (!this.telling) return;
    const seconds = ((this.now - startsAt) / 1_000).toFixed(3);
    this.story.push(`${String(this.clock).padStart(4)} ${seconds.padStart(9)}s ${instance.name}: ${text()}`);
  }

  timeAt(instance: Instance): number {
    return this.now + instance.skewMs;
  }

  /** Waits for a time, and for its turn. */
  async wait(instance: Instance, label: string, delayMs = 0): Promise<void> {
    await this.stop(instance, "waits", label, delayMs);
  }

  /** One call to something outside the instance. @throws {CallLost} when it has no answer */
  async call<T>(instance: Instance, call: Call, effect: () => T): Promise<T> {
    const { label, dependency, isWrite = false, answerAfterMs = 0 } = call;
    const asked = await this.stop(instance, isWrite ? "writes" : "asks", label, 0);
    if (asked === "lost" || (dependency && this.now < (this.refusingUntil.get(dependency) ?? 0)))
      throw new CallLost(label);
    if (typeof asked === "object") {
      void this.landLater(instance, label, asked.lateByMs, effect);
      await this.stop(instance, "waits", `${label} times out`, writeTimeoutMs);
      throw new CallLost(label);
    }
    let result = effect();
    const answered = await this.stop(
      instance,
      isWrite ? "write is answered" : "is answered",
      `${label} answers`,
      answerAfterMs,
    );
    if (answered === "lost") throw new CallLost(label);
    if (answered === "twice") result = effect();
    return result;
  }

  private async landLater(instance: Instance, label: string, byMs: number, effect: () => unknown) {
    await this.stop(this.network, "waits", label, byMs);
    this.tell(instance, () => `late: ${label}`);
    effect();
  }

  private stop(instance: Instance, place: Place, label: string, delayMs: number): Promise<Proceed> {
    return new Promise((proceed) =>
      this.stops.push({ instance, place, label, wakeAt: this.now + delayMs, proceed }),
    );
  }

  /** Runs until nobody waits any more. */
  async run(): Promise<void> {
    await settled();
    while (this.stops.length > 0) {
      this.clock++;
      const number = this.order[this.clock % Math.max(this.order.length, 1)] ?? 0;
      const next = this.choose(number);
      const fault = this.faultAt(next);
      const proceed = fault ? this.strike(next, fault) : "on";
      if (proceed === undefined) continue;
      this.stops.splice(this.stops.indexOf(next), 1);
      next.proceed(proceed);
      await settled();
    }
  }

  private choose(number: number): Stop {
    let earliest = Number.POSITIVE_INFINITY;
    let underWay = 0;
    for (const { wakeAt } of this.stops) {
      if (wakeAt < earliest) earliest = wakeAt;
      if (wakeAt <= this.now) underWay++;
    }
    // What is under way at once takes its time at once.
    this.now = Math.max(this.now + 1 + Math.floor((number % 23) / Math.max(underWay, 1)), earliest);
    const ready = this.stops.filter(({ wakeAt }) => wakeAt <= this.now);
    return ready[number % ready.length] as Stop;
  }

  private faultAt(stop: Stop): Fault | undefined {
    if (this.strikes.length === 0) return undefined;
    const index = this.strikes.findIndex(({ fault, afterToken, atStop, onControl }) => {
      const from = this.tokenMadeAt[afterToken];
      if (from === undefined || this.clock < from + atStop) return false;
      return canStrike(fault, stop) && (!onControl || stop.label.includes("scope control"));
    });
    return index < 0 ? undefined : this.strikes.splice(index, 1)[0]?.fault;
  }

  /** @returns how the stop goes on, or undefined if it does not now. */
  private strike(stop: Stop, fault: Fault): Proceed | undefined {
    const { instance, label } = stop;
    const all = this.stops.filter((each) => each.instance === instance);
    switch (fault.kind) {
      case "crash":
        instance.crashed = true;
        this.tell(instance, () => `crashes at: ${all.map((each) => each.label).join("; ")}`);
        for (const each of all) this.stops.splice(this.stops.indexOf(each), 1);
        return undefined;
      case "freeze":
        instance.frozen = true;
        this.tell(instance, () => `is frozen for ${fault.forMs} ms at: ${label}`);
        for (const each of all) each.wakeAt = Math.max(each.wakeAt, this.now + fault.forMs);
        return undefined;
      case "slow":
        this.tell(instance, () => `is slow by ${fault.byMs} ms at: ${label}`);
        stop.wakeAt = this.now + fault.byMs;
        return undefined;
      case "lose":
        this.tell(instance, () => `loses: ${label}`);
        return "lost";
      case "late":
        this.tell(instance, () => `does not hear for ${fault.byMs} ms of: ${label}`);
        return { lateByMs: fault.byMs };
      case "twice":
        this.tell(instance, () => `sends again: ${label}`);
        return "twice";
      case "outage":
        this.tell(instance, () => `${fault.of} refuses everything for ${fault.forMs} ms`);
        this.refusingUntil.set(fault.of, this.now + fault.forMs);
        return fault.losesAnswer ? "lost" : "on";
    }
  }
}

/** Whether a fault can happen there. Where it cannot it waits for the next stop. */
function canStrike(fault: Fault, { instance, place }: Stop): boolean {
  if (instance.name === "network") return false;
  switch (fault.kind) {
    case "crash":
      return true;
    case "outage":
      return !fault.losesAnswer || place === "write is answered";
    case "freeze":
      return !instance.frozen;
    case "lose":
    case "slow":
      return place !== "waits";
    case "late":
      return place === "writes";
    case "twice":
      return place === "write is answered";
  }
}

/** Until everything that can run without a further stop has run. */
const settled = () => new Promise((done) => setImmediate(done));
