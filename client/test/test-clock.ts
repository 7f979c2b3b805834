/** A clock that only moves when it is told to, or when somebody sleeps by it. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../src/waiting/clock.ts";

export class TestClock implements Clock {
  /** The two clocks, moved apart by tests of wrong, jumping and sleeping machines. */
  wallMs = Date.parse("2026-11-24T12:00:00Z");
  monotonicMs = 1_000;
  /** What random() gives. */
  chance = 0.5;
  /** In milliseconds, in order. */
  readonly slept: number[] = [];

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  advance(milliseconds: number): void {
    this.wallMs += milliseconds;
    this.monotonicMs += milliseconds;
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(milliseconds);
    this.advance(milliseconds);
    await setImmediate();
    signal.throwIfAborted();
  }

  random(): number {
    return this.chance;
  }
}
