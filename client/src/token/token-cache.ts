/** The one token in memory: one request for all who wait, renewal ahead of time, and what happens when the token is dead. */

import { TokenBrokerError, type TokenBrokerErrorCode } from "../errors/token-broker-error.ts";
import { abortedError, throwIfAborted, within } from "../waiting/abort.ts";
import { type Clock, stopwatch } from "../waiting/clock.ts";
import { backOffMs, sleep } from "../waiting/retry.ts";
import { SharedTask } from "../waiting/shared-task.ts";
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

export interface TokenRequestBody {
  min_ttl_seconds: number;
  stale_lease_id?: string;
}

export interface TokenCacheOptions {
  readonly scope: string;
  readonly clock: Clock;
  readonly budgetMs: number;
  ask(body: TokenRequestBody, signal: AbortSignal, limit: RetryLimit): Promise<TokenAnswer>;
}

/** One try, or as many as fit into so many milliseconds. */
export type RetryLimit = "once" | number;

/**
 * The broker has decided: a token that is still in memory is dead, or about to be. Not so `access_denied`: the caller's
 * IAM policy is about requests, not about tokens that were given.
 */
const refusals: ReadonlySet<TokenBrokerErrorCode> = new Set(["scope_frozen", "not_allowed"]);

/** A request for a token, before it is sent. */
interface TokenRequest {
  readonly minTtlSeconds: number;
  /** When it must be over, by the monotonic clock; or a single try. */
  readonly until: number | "once";
  /** The wait before it is sent. */
  readonly pauseMs: number;
}

interface OngoingRequest extends TokenRequest {
  readonly task: SharedTask<HeldToken>;
  /** The lease that it reports as stale. */
  readonly stale: string | undefined;
  /** Leases that a logout named meanwhile. */
  readonly ended: Set<string>;
}

export class TokenCache {
  readonly #options: TokenCacheOptions;
  #held: HeldToken | undefined;
  #ongoing: OngoingRequest | undefined;
  /** The lease that Looker has refused. Every request reports it until the broker has given another. */
  #stale: string | undefined;
  /** Logouts under way: a token fetched meanwhile may be one that they end. */
  #logouts: Promise<unknown> | undefined;
  /** Raised by each logout: who waited before it must not be given, or cause, a lease after it. */
  #generation = 0;
  #failures = 0;
  /** While it lasts, a refresh that failed is not tried again. */
  #pause: { readonly milliseconds: number; elapsedMs(): number } | undefined;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  /** For {@link replacementFor}: what has been before a logout is to end with it. */
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
  async replacementFor(
    { leaseId }: LookerToken,
    generation: number,
    options: TokenOptions,
  ): Promise<LookerToken> {
    if (generation !== this.#generation) throw endedByLogoutError();
    const isLatest = this.#held ? this.#held.token.leaseId === leaseId : this.#stale === undefined;
    if (isLatest) {
      this.#held = undefined;
      this.#stale = leaseId;
    }
    return this.token(options);
  }

  /** Drops the cached token, if it belongs to `leaseId` when one is given. Serves no token until the request is done. */
  async logOut<T>(leaseId: string | undefined, request: () => Promise<T>): Promise<T> {
    const mine = this.#held?.token.leaseId ?? this.#stale;
    if (leaseId === undefined || leaseId === mine) this.#forget();
    else this.#ongoing?.ended.add(leaseId);
    const done = request();
    const logouts = Promise.allSettled([this.#logouts, done]);
    this.#logouts = logouts;
    try {
      return await done;
    } finally {
      if (this.#logouts === logouts) this.#logouts = undefined;
    }
  }

  #forget(): void {
    this.#generation++;
    this.#held = undefined;
    this.#stale = undefined;
    this.#pause = undefined;
    this.#ongoing?.task.stop(endedByLogoutError());
    this.#ongoing = undefined;
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
      const logouts = this.#logouts;
      if (logouts)
        await within(
          leftMs(),
          signal,
          () => outOfTimeError(budgetMs),
          () => logouts,
        );
      throwIfAborted(signal);
      if (generation !== this.#generation) throw endedByLogoutError();
      const served = this.#served(minTtlSeconds);
      if (served) return served.token;
      if (leftMs() <= 0) throw outOfTimeError(budgetMs);

      const another = this.#joinable();
      const ongoing = another ?? this.#ask(wanted, minTtlSeconds, until, pause);
      pause = 0;
      let got: HeldToken;
      try {
        got = await (another
          ? within(
              leftMs(),
              signal,
              () => outOfTimeError(budgetMs),
              (mine) => another.task.join(mine),
            )
          : ongoing.task.join(signal));
      } catch (error) {
        throwIfAborted(signal);
        if (generation !== this.#generation) throw endedByLogoutError();
        if (concernsOnlyOthers(ongoing, wanted, error)) continue;
        pause = this.#pauseAfter(another, error, until);
        continue;
      }
      // Not so where a logout, a report or a later answer came between.
      if (got !== this.#held) continue;
      if (lifeLeftMs(got) >= wanted * 1_000) return got.token;
      if (ongoing.minTtlSeconds < wanted) continue;
      if (isSecond) throw tooLittleLifeError(got, wanted);
      isSecond = true;
      pause = untilRenewalMs(got, wanted);
    }
  }

  #joinable(): OngoingRequest | undefined {
    const ongoing = this.#ongoing;
    return ongoing && ongoing.stale === this.#stale && !ongoing.task.stopped ? ongoing : undefined;
  }

  /** In the last minute of a token that will do for want of a better one, one try; else the whole budget. */
  #ask(wanted: number, minTtlSeconds: number | undefined, until: number, pause: number): OngoingRequest {
    const held = this.#held;
    const willDo = minTtlSeconds === undefined && held !== undefined && lifeLeftMs(held) > 0;
    return this.#start({ minTtlSeconds: wanted, until: willDo ? "once" : until, pauseMs: pause }, false);
  }

  /** How long to wait before going on by oneself, when the time of the call whose request this one joined is over. */
  #pauseAfter(another: OngoingRequest | undefined, error: unknown, until: number): number {
    const { clock } = this.#options;
    if (another && another.until !== "once" && error instanceof TokenBrokerError && error.retryable) {
      const waitMs = backOffMs(error, this.#failures, clock);
      // With less than a second more, a thousand calls that came together would go on one after the other.
      if (until - another.until >= 1_000 && clock.monotonic() + waitMs < until) return waitMs;
    }
    throw error;
  }

  /** Never awaited: the caller has its token. */
  #refreshIfDue(held: HeldToken): void {
    if (this.#ongoing || this.#logouts || held.elapsedMs() < held.refreshAtMs || this.#isPausing()) return;
    // With less life asked for, the broker might give the same lease again until its own time to renew.
    const halfLifeSeconds = Math.floor(held.lifeMs / 2_000);
    const minTtlSeconds = Math.min(maxMinTtlSeconds, Math.max(defaultMinTtlSeconds, halfLifeSeconds));
    this.#start({ minTtlSeconds, until: "once", pauseMs: 0 }, true);
  }

  #start(request: TokenRequest, unattended: boolean): OngoingRequest {
    const { scope, clock, ask } = this.#options;
    const stale = this.#stale;
    const body = {
      min_ttl_seconds: request.minTtlSeconds,
      ...(stale === undefined ? {} : { stale_lease_id: stale }),
    };
    const work = async (signal: AbortSignal) => {
      try {
        if (request.pauseMs > 0) await sleep(request.pauseMs, signal, clock);
        const limit = request.until === "once" ? request.until : request.until - clock.monotonic();
        const got = heldToken(await ask(body, signal, limit), scope, clock);
        if (got.token.leaseId === stale)
          throw new TokenBrokerError("not_a_broker", "The answer is the lease that was reported as stale.");
        if (ongoing.ended.has(got.token.leaseId)) throw endedByLogoutError();
        if (this.#ongoing === ongoing) this.#hold(got);
        return got;
      } catch (error) {
        if (this.#ongoing === ongoing) this.#noteFailure(error);
        throw error;
      } finally {
        if (this.#ongoing === ongoing) this.#ongoing = undefined;
      }
    };
    const ongoing: OngoingRequest = {
      ...request,
      task: new SharedTask(work, { unattended }),
      stale,
      ended: new Set(),
    };
    this.#ongoing = ongoing;
    return ongoing;
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
    const milliseconds = 1_000 + backOffMs(error, this.#failures++, clock);
    this.#pause = { milliseconds, elapsedMs: stopwatch(clock) };
  }

  #isPausing(): boolean {
    return this.#pause !== undefined && this.#pause.elapsedMs() < this.#pause.milliseconds;
  }
}

const endedByLogoutError = () => abortedError("logout() ended what this call waited for.");

const outOfTimeError = (budgetMs: number) =>
  new TokenBrokerError("timed_out", `No token came within the budget of ${budgetMs / 1_000} s.`, {
    retryable: true,
  });

const tooLittleLifeError = (got: HeldToken, wanted: number) =>
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

/** The failure says nothing to this call: it ended a single try beside a live token, or a life that only the other call asked for. */
const concernsOnlyOthers = (ongoing: OngoingRequest, wanted: number, error: unknown) =>
  error instanceof TokenBrokerError &&
  ((ongoing.until === "once" && !refusals.has(error.code) && error.code !== "aborted") ||
    (error.code === "bad_request" && ongoing.minTtlSeconds !== wanted));

function checkMinTtl(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxMinTtlSeconds)
    throw new TokenBrokerError(
      "bad_request",
      `minTtlSeconds must be a whole number from 1 to ${maxMinTtlSeconds}, half of the longest lease, and not ${seconds}.`,
      { hint: "Ask for at most half of the scope's lease, which `scopes()` tells." },
    );
}
