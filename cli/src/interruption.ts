/** Ctrl-C, or the like from outside, while something is asked of the broker: the work is given up, and told about. */
import { constants } from "node:os";
import { ignoredSignals } from "./ignored-signals.ts";

/** As shells have it. */
export const exitCodeOfSignal = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

const stoppingSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** What a command under `exec` gets of the signals that reach this process. */
export const forwardedSignals = [...stoppingSignals, "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/**
 * Leaves out the signals to stay ignored.
 *
 * @returns the end of listening.
 */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  listener: (signal: NodeJS.Signals) => void,
): () => void {
  const heard = signals.filter((signal) => !ignoredSignals.has(signal));
  for (const signal of heard) process.on(signal, listener);
  return () => {
    for (const signal of heard) process.off(signal, listener);
  };
}

/**
 * By default SIGUSR1 makes Node listen for a debugger, which could read a token: a listener takes its place.
 * `--disable-sigusr1` is younger than the oldest Node that this runs on: https://nodejs.org/api/cli.html#--disable-sigusr1
 */
export function refuseDebugger(): void {
  process.on("SIGUSR1", () => {});
}

/** Runs the work under an AbortSignal; `interrupted()` tells which signal came, if any. */
export async function interruptible<T>(
  work: (signal: AbortSignal, interrupted: () => NodeJS.Signals | undefined) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let interrupted: NodeJS.Signals | undefined;
  const release = onSignals(stoppingSignals, (signal) => {
    interrupted ??= signal;
    controller.abort();
  });
  try {
    return await work(controller.signal, () => interrupted);
  } finally {
    release();
  }
}

export interface SignalStop {
  readonly signal: AbortSignal;
  received(): NodeJS.Signals | undefined;
  release(): void;
}

/** The first signal gives up. */
export function stopAtFirstSignal(): SignalStop {
  return stopAtSignal((_, abort) => abort());
}

/**
 * The first signal is noted, so that the work under way can end in order. The second one, or five seconds, give up. So does
 * the first while there is nothing to end in order.
 */
export function stopAtSecondSignal(onFirst: () => void, hasBegun = () => true): SignalStop {
  return stopAtSignal((isFirst, abort) => {
    if (!isFirst || !hasBegun()) return abort();
    setTimeout(abort, 5_000).unref();
    onFirst();
  });
}

function stopAtSignal(listener: (isFirst: boolean, abort: () => void) => void): SignalStop {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const release = onSignals(stoppingSignals, (signal) => {
    const isFirst = received === undefined;
    received ??= signal;
    listener(isFirst, () => controller.abort());
  });
  return { signal: controller.signal, received: () => received, release };
}
