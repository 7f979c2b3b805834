/** The one token in memory: single flight, refresh ahead, and what becomes of it when it is dead. */

import { TokenBrokerError, type TokenBrokerErrorCode } from "../errors/token-broker-error.ts";
import { aborted, throwIfAborted, within } from "../waiting/abort.ts";
import { type Clock, stopwatch } from "../waiting/clock.ts";
import { pauseMs, sleep } from "../waiting/retry.ts";
import { Flight } from "../waiting/shared-task.ts";
import {
  defaultMinTtlSeconds,
  type HeldToken,
  heldToken,
  lifeLeftMs,
  maxMinTtlSeconds,
  type TokenAnswer,
} from "./held-token.ts";
import type { LookerToken } from "./looker-token.ts";

export interface TokenOptions {
  /** The least life that the token must have left, 1 to half of the scope's lease. Default 60. */
  minTtlSeconds?: number | undefined;
  /** Stops this call's waiting, and nobody else's. */
  signal?: AbortSignal | undefined;
}

export interface TokenRequest {
  min_ttl_seconds: number;
  stale_lease_id?: string;
}

export interface TokenCacheOptions {
  readonly scope: string;
  readonly clock: Clock;
  readonly budgetMs: number;
  ask(body: TokenRequest, signal: AbortSignal, patience: Patience): Promise<TokenAnswer>;
}

/** One try, or as many as fit into so many milliseconds. */
export type Patience = "once" | number;

/**
 * The broker has decided: a token that is still in memory is dead, or about to be. Not so `access_denied`: the caller's
 * IAM policy is about requests, not about tokens that were given.
 */
const refusals: ReadonlySet<TokenBrokerErrorCode> = new Set(["scope_frozen", "not_allowed"]);

/** A request for a token. */
interface Wish {
  readonly minTtlSeconds: number;
  /** By the monotonic clock, until when it may take; or a single try. */
  readonly until: number | "once";
  /** Before it is sent. */
  readonly pauseMs: number;
}

interface Asking extends Wish {
  readonly flight: Flight<HeldToken>;
  readonly stale: string | undefined;
  /** Leases that a logout named meanwhile. */
  readonly ended: Set<string>;
}

export class TokenCache {
  readonly #options: TokenCacheOptions;
  #held: HeldToken | undefined;
  #asking: Asking | undefined;
  /** The lease that Looker has refused. Every request reports it until the broker has given another. */
  #stale: string | undefined;
  /** Logouts under way: a token fetched meanwhile may be one that they end. */
  #ending: Promise<unknown> | undefined;
  /** Raised by each logout: who waited before it must not be given, or cause, a lease after it. */
  #generation = 0;
  #failures = 0;
  /** While it lasts, a refresh that failed is not tried again. */
  #pause: { readonly milliseconds: number; elapsedMs(): number } | undefined;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  /** For {@link insteadOf}: what has been before a logout is to end with it. */
  get generation(): number {
    return this.#generation;
  }

  get hasToken(): boolean {
    return this.#served(undefined) !== undefined;
  }

  async token({ minTtlSeconds, signal }: TokenOptions = {}): Promise<LookerToken> {
    throwIfAborted(signal);
    if (minTtlSeconds !== undefined) checkMinTtl(minTtlSeconds);
    const served = this.#served(minTtlSeconds);
    if (!served) return this.#fetched(minTtlSeconds, signal);
    this.#refreshIfDue(served);
    return served.token;
  }

  /** Another token than this one, which Looker has refused. A logout since that generation has ended the call with it. */
  async insteadOf({ leaseId }: LookerToken, generation: number, options: TokenOptions): Promise<LookerToken> {
    if (generation !== this.#generation) throw endedByLogout();
    const isLatest = this.#held ? this.#held.token.leaseId === leaseId : this.#stale === undefined;
    if (isLatest) {
      this.#held = undefined;
      this.#stale = leaseId;
    }
    return this.token(options);
  }

  /** Forgets the token if it is, or was, of this lease, or whichever it is, and gives none out until the work is done. */
  async ending<T>(leaseId: string | undefined, work: () => Promise<T>): Promise<T> {
    const mine = this.#held?.token.leaseId ?? this.#stale;
    if (leaseId === undefined || leaseId === mine) this.#forget();
    else this.#asking?.ended.add(leaseId);
    const done = work();
    const ending = Promise.allSettled([this.#ending, done]);
    this.#ending = ending;
    try {
      return await done;
    } finally {
      if (this.#ending === ending) this.#ending = undefined;
    }
  }

  #forget(): void {
    this.#generation++;
    this.#held = undefined;
    this.#stale = undefined;
    this.#pause = undefined;
    this.#asking?.flight.stop(endedByLogout());
    this.#asking = undefined;
  }

  #served(minTtlSeconds: number | undefined): HeldToken | undefined {
    const held = this.#held;
    if (!held) return undefined;
    const leftMs = lifeLeftMs(held);
    if (leftMs >= (minTtlSeconds ?? defaultMinTtlSeconds) * 1_000) return held;
    // The broker was asked for a better one just now, in vain, and nobody insists.
    return minTtlSeconds === undefined && leftMs > 0 && this.#isPausing() ? held : undefined;
  }

  async #fetched(minTtlSeconds: number | undefined, signal: AbortSignal | undefined): Promise<LookerToken> {
    const wanted = minTtlSeconds ?? defaultMinTtlSeconds;
    const { clock, budgetMs } = this.#options;
    const until = clock.monotonic() + budgetMs;
    const leftMs = () => until - clock.monotonic();
    const generation = this.#generation;
    let isSecond = false;
    let pause = 0;
    for (;;) {
      const ending = this.#ending;
      if (ending)
        await within(
          leftMs(),
          signal,
          () => outOfTime(budgetMs),
          () => ending,
        );
      throwIfAborted(signal);
      if (generation !== this.#generation) throw endedByLogout();
      const served = this.#served(minTtlSeconds);
      if (served) return served.token;
      if (leftMs() <= 0) throw outOfTime(budgetMs);

      const another = this.#joinable();
      const asking = another ?? this.#ask(wanted, minTtlSeconds, until, pause);
      pause = 0;
      let got: HeldToken;
      try {
        got = await (another
          ? within(
              leftMs(),
              signal,
              () => outOfTime(budgetMs),
              (mine) => another.flight.join(mine),
            )
          : asking.flight.join(signal));
      } catch (error) {
        throwIfAborted(signal);
        if (generation !== this.#generation) throw endedByLogout();
        if (wasAnothers(asking, wanted, error)) continue;
        pause = this.#pauseAfter(another, error, until);
        continue;
      }
      // Not so where a logout, a report or a later answer came between.
      if (got !== this.#held) continue;
      if (lifeLeftMs(got) >= wanted * 1_000) return got.token;
      if (asking.minTtlSeconds < wanted) continue;
      if (isSecond) throw tooLittleLife(got, wanted);
      isSecond = true;
      pause = untilRenewalMs(got, wanted);
    }
  }

  #joinable(): Asking | undefined {
    const asking = this.#asking;
    return asking && asking.stale === this.#stale && !asking.flight.stopped ? asking : undefined;
  }

  /** In the last minute of a token that will do for want of a better one, one try; else all the patience there is. */
  #ask(wanted: number, minTtlSeconds: number | undefined, until: number, pause: number): Asking {
    const held = this.#held;
    const willDo = minTtlSeconds === undefined && held !== undefined && lifeLeftMs(held) > 0;
    return this.#start({ minTtlSeconds: wanted, until: willDo ? "once" : until, pauseMs: pause }, false);
  }

  /** How long to wait before going on by oneself, when the time of the call whose request this one joined is over. */
  #pauseAfter(another: Asking | undefined, error: unknown, until: number): number {
    const { clock } = this.#options;
    if (another && another.until !== "once" && error instanceof TokenBrokerError && error.retryable) {
      const waitMs = pauseMs(error, this.#failures, clock);
      // With less than a second more, a thousand calls that came together would go on one after the other.
      if (until - another.until >= 1_000 && clock.monotonic() + waitMs < until) return waitMs;
    }
    throw error;
  }

  /** Never awaited: the caller has its token. */
  #refreshIfDue(held: HeldToken): void {
    if (this.#asking || this.#ending || held.elapsedMs() < held.refreshAtMs || this.#isPausing()) return;
    // With less life asked for, the broker might give the same lease again until its own time to renew.
    const halfLifeSeconds = Math.floor(held.lifeMs / 2_000);
    const minTtlSeconds = Math.min(maxMinTtlSeconds, Math.max(defaultMinTtlSeconds, halfLifeSeconds));
    this.#start({ minTtlSeconds, until: "once", pauseMs: 0 }, true);
  }

  #start(wish: Wish, unattended: boolean): Asking {
    const { scope, clock, ask } = this.#options;
    const stale = this.#stale;
    const body = {
      min_ttl_seconds: wish.minTtlSeconds,
      ...(stale === undefined ? {} : { stale_lease_id: stale }),
    };
    const work = async (signal: AbortSignal) => {
      try {
        if (wish.pauseMs > 0) await sleep(wish.pauseMs, signal, clock);
        const patience = wish.until === "once" ? wish.until : wish.until - clock.monotonic();
        const got = heldToken(await ask(body, signal, patience), scope, clock);
        if (got.token.leaseId === stale)
          throw new TokenBrokerError("not_a_broker", "The answer is the lease that was reported as stale.");
        if (asking.ended.has(got.token.leaseId)) throw endedByLogout();
        if (this.#asking === asking) this.#hold(got);
        return got;
      } catch (error) {
        if (this.#asking === asking) this.#noteFailure(error);
        throw error;
      } finally {
        if (this.#asking === asking) this.#asking = undefined;
      }
    };
    const asking: Asking = { ...wish, flight: new Flight(work, { unattended }), stale, ended: new Set() };
    this.#asking = asking;
    return asking;
  }

  #hold(got: HeldToken): void {
    this.#failures = 0;
    this.#pause = undefined;
    // Reported while this was under way.
    if (got.token.leaseId === this.#stale) return;
    this.#stale = undefined;
    this.#held = got;
  }

  #noteFailure(error: unknown): void {
    if (!(error instanceof TokenBrokerError) || error.code === "aborted") return;
    if (refusals.has(error.code)) this.#held = undefined;
    const { clock } = this.#options;
    // At least a second: a token that is called for often must not become a storm.
    const milliseconds = 1_000 + pauseMs(error, this.#failures++, clock);
    this.#pause = { milliseconds, elapsedMs: stopwatch(clock) };
  }

  #isPausing(): boolean {
    return this.#pause !== undefined && this.#pause.elapsedMs() < this.#pause.milliseconds;
  }
}

const endedByLogout = () => aborted("logout() ended what this call waited for.");

const outOfTime = (budgetMs: number) =>
  new TokenBrokerError("timed_out", `No token came within the budget of ${budgetMs / 1_000} s.`, {
    retryable: true,
  });

const tooLittleLife = (got: HeldToken, wanted: number) =>
  new TokenBrokerError(
    "too_little_life",
    `The broker gave a token with ${Math.max(0, Math.floor(lifeLeftMs(got) / 1_000))} s of life left where ${wanted} s were asked for, twice.`,
  );

/**
 * When the broker can only answer with another lease: what this one has left, by `expires_in`, which is cut to whole
 * seconds, is then less than what is asked for. At most a second.
 */
const untilRenewalMs = (got: HeldToken, wanted: number) =>
  Math.max(0, lifeLeftMs(got) + 1_000 - wanted * 1_000);

/** A single try beside a live token, or a wish that only the other had: so it must be asked again, for oneself. */
const wasAnothers = (asking: Asking, wanted: number, error: unknown) =>
  error instanceof TokenBrokerError &&
  ((asking.until === "once" && !refusals.has(error.code) && error.code !== "aborted") ||
    (error.code === "bad_request" && asking.minTtlSeconds !== wanted));

function checkMinTtl(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxMinTtlSeconds)
    throw new TokenBrokerError(
      "bad_request",
      `minTtlSeconds must be a whole number from 1 to ${maxMinTtlSeconds}, half of the longest lease, and not ${seconds}.`,
      { hint: "Ask for at most half of the scope's lease, which `scopes()` tells." },
    );
}
