/** Waiting that can be given up, without leaving listeners or timers behind. */
import { TokenBrokerError } from "../errors/token-broker-error.ts";

export const abortedError = (message = "The call was aborted.", cause?: unknown) =>
  new TokenBrokerError("aborted", message, { cause });

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reasonOf(signal);
}

/** Who waits on a signal. One listener serves them all: a service may pass the same signal with each of a thousand calls. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal aborts, or at once where it has; returns what stops that. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => {};
  }
  let callbacks = waiting.get(signal);
  if (!callbacks) {
    const all = new Set<() => void>();
    const tellAll = () => {
      for (const each of all) each();
    };
    signal.addEventListener("abort", tellAll, { once: true });
    waiting.set(signal, all);
    callbacks = all;
  }
  const mine = callbacks;
  mine.add(callback);
  return () => mine.delete(callback);
}

export const reasonOf = (signal: AbortSignal | undefined): TokenBrokerError =>
  signal?.reason instanceof TokenBrokerError ? signal.reason : abortedError(undefined, signal?.reason);

/** Waits for the work no longer than the signal says; the work itself goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let stop = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(reasonOf(signal)));
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    stop();
  }
}

/** Node's timers take a longer time for a millisecond. */
export const longestMs = 2 ** 31 - 1;

/**
 * Runs the work under a signal that aborts when the given one does or when the time is up, then with `late()`.
 * Not AbortSignal.any with AbortSignal.timeout: in Node 20 the garbage collector may take such a signal away before it
 * fires (https://github.com/nodejs/node/issues/57736).
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  late: () => TokenBrokerError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = signal && onAbort(signal, () => controller.abort(reasonOf(signal)));
  const timer = setTimeout(() => controller.abort(late()), Math.min(milliseconds, longestMs));
  // A connection that is waited for keeps the process alive by itself.
  timer.unref();
  try {
    return await abortable(work(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    stop?.();
  }
}
