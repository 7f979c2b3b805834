/** Time and chance. Tests give their own under {@link clockKey}, which no entry point exports. */
import { setTimeout as wait } from "node:timers/promises";

export interface Clock {
  /** Wall clock, milliseconds since 1970. It signs requests; it may be wrong, and may jump. */
  now(): number;
  /** Milliseconds since some moment. It does not jump, but may stand still while the machine sleeps. */
  monotonic(): number;
  /** Rejects when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
}

/** An option that services neither see nor can name. */
export const clockKey = Symbol("clock");

export const clockOf = (options: object): Clock =>
  (options as { [clockKey]?: Clock })[clockKey] ?? systemClock;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
  random: () => Math.random(),
};

/** How long something has been going on, by whichever clock says more: one may sleep, the other may be set back. */
export function stopwatch(clock: Clock): () => number {
  const [now, monotonic] = [clock.now(), clock.monotonic()];
  return () => Math.max(clock.now() - now, clock.monotonic() - monotonic);
}
