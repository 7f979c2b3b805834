/** Looker's `timeout` and `signal` options, which its SDK for Node accepts and ignores: one limit for a whole call. */
import { longestMs, onAbort } from "./abort.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  readonly seconds: number;
  /** By the time-out, not by the caller's own signal. */
  readonly hasPassed: boolean;
  /** Waits for the work no longer than that; the work itself goes on. */
  limit<T>(work: Promise<T>): Promise<T>;
  /** Stops the time-out; the caller's own signal goes on counting. */
  stopTimeout(): void;
  /** The call is over. */
  end(): void;
}

/** Looker's own default. */
const defaultSeconds = 120;

/** Not AbortSignal.any, for the reason that {@link within} has. */
export function deadline(
  timeoutSeconds: number | undefined,
  callerSignal: AbortSignal | undefined,
): Deadline {
  const seconds = timeoutSeconds !== undefined && timeoutSeconds > 0 ? timeoutSeconds : defaultSeconds;
  const controller = new AbortController();
  const { signal } = controller;
  const passed = new DOMException(`Looker gave no answer within ${seconds} s.`, "TimeoutError");
  const timer = setTimeout(() => controller.abort(passed), Math.min(seconds * 1_000, longestMs));
  timer.unref();
  const release = callerSignal && onAbort(callerSignal, () => controller.abort(callerSignal.reason));
  return {
    signal,
    seconds,
    get hasPassed() {
      return signal.reason === passed;
    },
    async limit(work) {
      let stop = () => {};
      const over = new Promise<never>((_, reject) => {
        stop = onAbort(signal, () => reject(signal.reason));
      });
      return Promise.race([work, over]).finally(stop);
    },
    stopTimeout: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      release?.();
    },
  };
}
