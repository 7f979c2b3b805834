/** The long waiting that the broker refuses to do: a waiting Lambda is a held instance, a waiting client costs nothing. */

import { seconds } from "../errors/duration.ts";
import { longerError } from "../errors/longer-error.ts";
import { checkKind, checkOptions, type OptionKinds } from "../errors/options.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { reasonOf, throwIfAborted } from "./abort.ts";
import { type Clock, systemClock } from "./clock.ts";

/** An attempt has failed, and another will follow. */
export interface RetryEvent {
  readonly error: TokenBrokerError;
  /** Its number in a row of failures, from 1. */
  readonly attempt: number;
  /** The wait before the next one. */
  readonly delayMs: number;
}

/** For logs and metrics. Not awaited. Its errors are dropped. */
export type RetryListener = (event: RetryEvent) => void;

export interface RetryOptions {
  /** For everything together: attempts and the waits between them. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: RetryListener | undefined;
}

const kinds = {
  timeoutMs: "number",
  signal: "AbortSignal",
  onRetry: "function",
} satisfies OptionKinds<RetryOptions>;

export const defaultTimeoutMs = 30_000;

/** API Gateway itself gives up after 29 s. An attempt that hangs must leave time for another one. */
const attemptMs = 15_000;

/** In less, no answer comes: an attempt would only replace the last failure by a time-out. */
const leastMs = 50;

/**
 * Repeats the attempt while its failure is `retryable` and the wait fits into `timeoutMs`. Otherwise it throws the last
 * failure, at once and never later than `timeoutMs`.
 *
 * @example
 * ```ts
 * import { callBroker, connect, withRetries } from "@looker-token-broker/client/broker";
 *
 * const connection = connect();
 * const { body } = await withRetries(
 *   (timeoutMs) => callBroker(connection, { method: "GET", path: "/scopes", timeoutMs }),
 *   { timeoutMs: 10_000, onRetry: ({ error, attempt }) => console.error(`Attempt ${attempt}: ${error.message}`) },
 * );
 * console.log(body);
 * ```
 */
export async function withRetries<T>(
  attempt: (timeoutMs: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  checkKind("`attempt` of withRetries", "function", attempt);
  checkOptions("withRetries", options, kinds);
  return retrying(attempt, options, systemClock);
}

export async function retrying<T>(
  attempt: (timeoutMs: number) => Promise<T>,
  { timeoutMs = defaultTimeoutMs, signal, onRetry }: RetryOptions,
  clock: Clock,
): Promise<T> {
  checkTimeout(timeoutMs);
  // The monotonic clock: the sleep of a machine and the jump of a wall clock are no waiting.
  const begin = clock.monotonic();
  const spentMs = () => clock.monotonic() - begin;
  for (let failures = 1; ; failures++) {
    throwIfAborted(signal);
    try {
      return await attempt(Math.min(attemptMs, timeoutMs - spentMs()));
    } catch (error) {
      if (!(error instanceof TokenBrokerError)) throw error;
      const delayMs = backOffMs(error, failures - 1, clock);
      if (!error.retryable || spentMs() + delayMs > timeoutMs - leastMs)
        throw failures === 1
          ? error
          : longerError(error, `This was attempt ${failures}, after ${seconds(spentMs())}.`);
      tell(onRetry, { error, attempt: failures, delayMs });
      await sleep(delayMs, signal, clock);
    }
  }
}

/** NaN, of a variable that is not set, would wait for ever. */
export function checkTimeout(timeoutMs: number): void {
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0))
    throw new TokenBrokerError("bad_request", "`timeoutMs` must be a number of milliseconds above 0.");
}

export function tell(listener: RetryListener | undefined, event: RetryEvent): void {
  if (listener)
    Promise.resolve(event)
      .then(listener)
      .catch(() => {});
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
