/**
 * A fleet on one virtual timeline. Every call that leaves an instance stops twice, before its effect and before its answer;
 * which of the stopped instances goes on next, and which of them crashes, freezes or loses a call, is what a run decides.
 */

/** Strikes at one stop of a run. `fail` loses the call there: before its effect, or its answer after it. */
export interface Strike {
  readonly atStop: number;
  readonly kind: "crash" | "freeze" | "fail";
}

export interface Instance {
  readonly name: string;
  /** How far its clock is off. */
  readonly skewMs: number;
  crashed: boolean;
  frozen: boolean;
}

export class CallLost extends Error {}

interface Stop {
  readonly instance: Instance;
  readonly label: string;
  wakeAt: number;
  readonly proceed: (lost: boolean) => void;
}

const freezeMs = 3_600_000;

export class Simulation {
  now = 1_700_000_000_000;
  /** Counts stops: the order of everything that happened. */
  clock = 0;
  readonly story: string[] = [];
  private readonly stops: Stop[] = [];
  private readonly order: readonly number[];
  private strikes: ReadonlyMap<number, Strike>;

  constructor(order: readonly number[], strikes: readonly Strike[]) {
    this.order = order;
    this.strikes = new Map(strikes.map((strike) => [strike.atStop, strike]));
  }

  /** From now on nothing fails. */
  calmDown(): void {
    this.strikes = new Map();
  }

  tell(instance: Instance, text: string): void {
    this.story.push(
      `${String(this.clock).padStart(4)} ${((this.now - 1_700_000_000_000) / 1_000).toFixed(3).padStart(9)}s ${instance.name}: ${text}`,
    );
  }

  timeAt(instance: Instance): number {
    return this.now + instance.skewMs;
  }

  /** Waits to be let on. @returns whether the call is lost at this stop. */
  stop(instance: Instance, label: string, delayMs = 0): Promise<boolean> {
    return new Promise((proceed) =>
      this.stops.push({ instance, label, wakeAt: this.now + delayMs, proceed }),
    );
  }

  /** One call to something outside the instance. */
  async call<T>(instance: Instance, label: string, effect: () => T, answerDelayMs = 0): Promise<T> {
    if (await this.stop(instance, label)) throw new CallLost(label);
    const result = effect();
    if (await this.stop(instance, `${label} answers`, answerDelayMs)) throw new CallLost(label);
    return result;
  }

  /** Runs until nobody waits any more. */
  async run(): Promise<void> {
    await settled();
    while (this.stops.length > 0) {
      this.clock++;
      const number = this.order[this.clock % Math.max(this.order.length, 1)] ?? 0;
      const earliest = Math.min(...this.stops.map(({ wakeAt }) => wakeAt));
      this.now = Math.max(this.now + 1 + (number % 23), earliest);
      const ready = this.stops.filter(({ wakeAt }) => wakeAt <= this.now);
      const next = ready[number % ready.length] as Stop;
      const strike = this.strikes.get(this.clock)?.kind;
      if (strike === "freeze" && !next.instance.frozen) {
        next.instance.frozen = true;
        next.wakeAt = this.now + freezeMs;
        this.tell(next.instance, `is frozen for an hour at: ${next.label}`);
        continue;
      }
      this.stops.splice(this.stops.indexOf(next), 1);
      if (strike === "crash") {
        next.instance.crashed = true;
        this.tell(next.instance, `crashes at: ${next.label}`);
        continue;
      }
      if (strike === "fail") this.tell(next.instance, `loses: ${next.label}`);
      next.proceed(strike === "fail");
      await settled();
    }
  }
}

/** Until everything that can run without a further stop has run. */
const settled = () => new Promise((done) => setImmediate(done));
