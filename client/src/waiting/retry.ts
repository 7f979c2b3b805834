/** The long waiting that the broker refuses to do: a waiting Lambda is a held instance, a waiting client costs nothing. */

import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { reasonOf, throwIfAborted } from "./abort.ts";
import { type Clock, systemClock } from "./clock.ts";

export interface RetryOptions {
  /** For everything together: attempts and the waits between them. Default 30,000. */
  readonly budgetMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

export const defaultBudgetMs = 30_000;

/** API Gateway itself gives up after 29 s. An attempt that hangs must leave time for another one. */
const attemptMs = 15_000;

/** In less, no answer comes: an attempt would only replace the last failure by a time-out. */
const leastMs = 50;

/**
 * Repeats the attempt while its failure is worth waiting for and the wait fits into the budget; else throws that failure.
 * So an error never comes later than the budget, and comes at once where waiting that long would be of no use.
 */
export async function withRetries<T>(
  attempt: (timeoutMs: number) => Promise<T>,
  { budgetMs = defaultBudgetMs, signal, clock = systemClock }: RetryOptions = {},
): Promise<T> {
  // A machine that slept, or a clock that jumped, has not been waiting.
  const begin = clock.monotonic();
  const spentMs = () => clock.monotonic() - begin;
  for (let failures = 0; ; ) {
    throwIfAborted(signal);
    const leftMs = budgetMs - spentMs();
    try {
      return await attempt(Math.min(attemptMs, leftMs));
    } catch (error) {
      if (!(error instanceof TokenBrokerError) || !error.retryable) throw error;
      const waitMs = backOffMs(error, failures++, clock);
      if (spentMs() + waitMs > budgetMs - leastMs) throw error;
      await sleep(waitMs, signal, clock);
    }
  }
}

export async function sleep(
  milliseconds: number,
  signal: AbortSignal | undefined,
  clock: Clock,
): Promise<void> {
  await clock.sleep(milliseconds, signal ?? new AbortController().signal).catch(() => {
    throw reasonOf(signal);
  });
}

/**
 * What the answer asks for and up to a second more, so that those who were told the same do not come back together; else
 * "full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backOffMs(error: TokenBrokerError, failures: number, clock: Clock): number {
  const askedMs = (error.retryAfterSeconds ?? 0) * 1_000;
  return askedMs > 0
    ? askedMs + clock.random() * 1_000
    : clock.random() * Math.min(8_000, 250 * 2 ** Math.min(failures, 10));
}
