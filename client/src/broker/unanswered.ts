/**
 * Requests for AWS credentials without an answer. A caller's time-out ends none of them: a child process of a
 * `credential_process`, or a socket, stays. A limit on their number would fail a service for good, because they may never end. So
 * the pause before the next one doubles: there are 16 of them after an hour and 21 after a day, and a source that
 * answers again is noticed after as long again as it was silent.
 */
import { credentialsUnanswered } from "../errors/credentials-error.ts";
import { onAbort } from "../waiting/abort.ts";
import type { Clock } from "../waiting/clock.ts";

/** A service may give up in less than a second, with another request right after. */
const freeRounds = 4;

export class UnansweredRequests {
  readonly #clock: Clock;
  /** Given up since the last answer. Requests that began together, without a pause between, count as one. */
  #rounds = 0;
  #beganMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins the request, unless it is too early. It counts as unanswered from the signal's abort until its answer or failure. */
  async begin<T>(request: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const nowMs = this.#clock.monotonic();
    const leftMs = this.#beganMs + this.#pauseMs - nowMs;
    if (leftMs > 0) throw credentialsUnanswered(this.#rounds, leftMs);
    this.#beganMs = nowMs;
    const round = this.#rounds;
    const stop =
      signal &&
      onAbort(signal, () => {
        if (round === this.#rounds) this.#rounds++;
      });
    try {
      return await request();
    } finally {
      stop?.();
      this.#rounds = 0;
    }
  }

  get #pauseMs(): number {
    return this.#rounds < freeRounds ? 0 : 1_000 * 2 ** (this.#rounds - freeRounds);
  }
}
