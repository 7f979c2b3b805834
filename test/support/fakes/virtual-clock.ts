import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../functions/use-cases/ports.ts";

export interface VirtualClock extends Clock {
  /** Moves the time on, waking sleepers in order; whatever they cause is done when it returns. */
  advance(milliseconds: number): Promise<void>;
  /** Moves the time on with nobody waking: as if the process had been suspended, or had computed. */
  jump(milliseconds: number): void;
  /** What was slept, in order of asking. */
  readonly slept: number[];
}

/**
 * Time as a simulation: it stands still while anything runs. With `auto` (the default) it moves to the next sleeper as
 * soon as everybody waits; without, only {@link VirtualClock.advance} moves it.
 */
export function virtualClock({ start = 1_700_000_000_000, auto = true } = {}): VirtualClock {
  let now = start;
  let pumping = false;
  const slept: number[] = [];
  const sleepers: { at: number; wake: () => void }[] = [];

  const wakeNext = () => {
    sleepers.sort((a, b) => a.at - b.at);
    const next = sleepers.shift();
    if (!next) return;
    now = Math.max(now, next.at);
    next.wake();
  };
  const pump = async () => {
    if (pumping) return;
    pumping = true;
    for (await setImmediate(); sleepers.length > 0; await setImmediate()) wakeNext();
    pumping = false;
  };

  return {
    slept,
    now: () => now,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        slept.push(milliseconds);
        sleepers.push({ at: now + milliseconds, wake });
        if (auto) void pump();
      }),
    jump(milliseconds) {
      now += milliseconds;
    },
    async advance(milliseconds) {
      const target = now + milliseconds;
      await setImmediate();
      while (sleepers.some(({ at }) => at <= target)) {
        wakeNext();
        await setImmediate();
      }
      now = Math.max(now, target);
    },
  };
}
