/** Looker's `timeout` and `signal` options, which its SDK for Node accepts and ignores. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** The caller's own signal goes on counting. */
  clear(): void;
}

/** Looker's own default. */
const defaultSeconds = 120;

export function deadline(seconds: number | undefined, given: AbortSignal | undefined): Deadline {
  const limit = seconds !== undefined && seconds > 0 ? seconds : defaultSeconds;
  const controller = new AbortController();
  const message = `Looker gave no answer within ${limit} s.`;
  const timer = setTimeout(() => controller.abort(new DOMException(message, "TimeoutError")), limit * 1_000);
  timer.unref();
  return {
    signal: given ? AbortSignal.any([given, controller.signal]) : controller.signal,
    clear: () => clearTimeout(timer),
  };
}
