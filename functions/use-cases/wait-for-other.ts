/** Waits for another invocation with the lock of a row. It gives the lock back, or the lock runs out. */
import type { Clock } from "./ports.ts";

export interface Wait {
  /** The name of the waiting invocation for a lock of its own. */
  readonly owner: string;
  waitedMs: number;
}

export interface WaitLimits {
  readonly longestPauseMs: number;
  readonly longestWaitMs?: number;
  /** The last moment for another look at the row. */
  readonly deadline: number;
}

const firstPauseMs = 100;

/** Pauses once. @returns false, without a pause, at the end of the wait */
export async function waitForOther(
  clock: Clock,
  wait: Wait,
  { longestPauseMs, longestWaitMs = Number.POSITIVE_INFINITY, deadline }: WaitLimits,
): Promise<boolean> {
  const pause = nextPause(wait, longestPauseMs);
  if (wait.waitedMs + pause > longestWaitMs || clock.now() + pause > deadline) return false;
  await clock.sleep(pause);
  wait.waitedMs += pause;
  return true;
}

/**
 * Grows with the time waited, so that a short work's end is noticed soon after. The owner's id spreads the pauses, so that a crowd
 * does not come back at once.
 */
function nextPause({ waitedMs, owner }: Wait, longestPauseMs: number): number {
  const spread = 0.75 + (owner.charCodeAt(0) % 16) / 32;
  return Math.round(Math.min(firstPauseMs + waitedMs / 8, longestPauseMs) * spread);
}
