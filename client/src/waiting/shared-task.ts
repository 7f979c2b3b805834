/** One piece of work for many waiting calls. A call can stop waiting, and the last call to do so stops the work. */

import type { TokenBrokerError } from "../errors/token-broker-error.ts";
import { abortable, abortedError } from "./abort.ts";

export class SharedTask<T> {
  readonly #result: Promise<T>;
  readonly #controller = new AbortController();
  #waiting = 0;
  /** Goes on when nobody waits. */
  readonly #unattended: boolean;

  constructor(work: (signal: AbortSignal) => Promise<T>, { unattended = false } = {}) {
    this.#unattended = unattended;
    // In a turn of its own: the work may know the task.
    this.#result = Promise.resolve(this.#controller.signal).then(work);
    // A failure is told to those who wait; where nobody does, to nobody.
    this.#result.catch(() => {});
  }

  async join(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting++;
    try {
      return await abortable(this.#result, signal);
    } finally {
      if (--this.#waiting === 0 && !this.#unattended)
        this.stop(abortedError("Nobody waits for it any more."));
    }
  }

  stop(reason: TokenBrokerError): void {
    this.#controller.abort(reason);
  }

  get stopped(): boolean {
    return this.#controller.signal.aborted;
  }
}
