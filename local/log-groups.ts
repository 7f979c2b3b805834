/** What functions and gateway wrote, by log group, for the stand-in of CloudWatch Logs. In memory: the latest lines of this run. */

export interface LogEvent {
  /** Epoch milliseconds: when the line was written. */
  readonly at: number;
  readonly line: string;
}

/** 12 MB of records for each function, as in lambda/functions.ts. */
const mostEvents = 10_000;

export class LogGroups {
  readonly #events: Map<string, LogEvent[]>;

  constructor(names: readonly string[]) {
    this.#events = new Map(names.map((name) => [name, []]));
  }

  write(group: string, line: string): void {
    const events = this.#events.get(group);
    // Cut in halves, not one by one: shifting ten thousand entries for each line would show in the benchmark.
    if (events && events.push({ at: Date.now(), line }) >= 2 * mostEvents)
      events.splice(0, events.length - mostEvents);
  }

  /** Undefined: there is no such group. */
  events(group: string): readonly LogEvent[] | undefined {
    return this.#events.get(group)?.slice(-mostEvents);
  }
}
