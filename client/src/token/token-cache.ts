/** Calls for the one token in memory: one request for all who wait, and the order between them and logouts. */

import { checkOptions } from "../errors/options.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { throwIfAborted, within } from "../waiting/abort.ts";
import { backOffMs } from "../waiting/retry.ts";
import { type HeldToken, lifeLeftMs } from "./held-token.ts";
import type { LookerToken } from "./looker-token.ts";
import {
  checkMinTtl,
  concernsOnlyOthers,
  endedByLogoutError,
  type OngoingRequest,
  outOfTimeError,
  type TokenOptions,
  type TokenRequest,
  tokenOptionKinds,
  tooLittleLifeError,
  untilRenewalMs,
  type WaitingCall,
  wantedSeconds,
} from "./token-request.ts";
import { TokenStore, type TokenStoreOptions } from "./token-store.ts";

export interface TokenCacheOptions extends TokenStoreOptions {
  readonly timeoutMs: number;
}

export class TokenCache {
  readonly #options: TokenCacheOptions;
  readonly #store: TokenStore;
  /** Logouts under way: a token fetched meanwhile may be one that they end. */
  #logouts: Promise<unknown> | undefined;
  /** Raised by each logout: who waited before it must not be given, or cause, a lease after it. */
  #generation = 0;
  #hasAsked = false;

  constructor(options: TokenCacheOptions) {
    this.#options = options;
    this.#store = new TokenStore(options);
  }

  /** For {@link replacementFor}: what has been before a logout is to end with it. */
  get generation(): number {
    return this.#generation;
  }

  /** Memory could not serve a call, so the broker may have given a lease. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  get hasToken(): boolean {
    return this.#store.served(undefined) !== undefined;
  }

  async token(options?: TokenOptions): Promise<LookerToken> {
    if (options !== undefined) checkOptions("token", options, tokenOptionKinds);
    const { minTtlSeconds, signal } = options ?? {};
    throwIfAborted(signal);
    if (minTtlSeconds !== undefined) checkMinTtl(minTtlSeconds);
    const served = this.#store.served(minTtlSeconds);
    if (!served) return this.#fetched(minTtlSeconds, signal);
    if (!this.#logouts) this.#store.refreshIfDue(served);
    return served.token;
  }

  /** Another token than this one, which Looker has refused. A logout since that generation has ended the call with it. */
  async replacementFor(
    { leaseId }: LookerToken,
    generation: number,
    options: TokenOptions,
  ): Promise<LookerToken> {
    if (generation !== this.#generation) throw endedByLogoutError();
    this.#store.report(leaseId);
    return this.token(options);
  }

  /** Drops the cached token, if it belongs to `leaseId` when one is given. Serves no token until the request is done. */
  async logOut<T>(leaseId: string | undefined, request: () => Promise<T>): Promise<T> {
    if (leaseId === undefined || leaseId === this.#store.leaseId) {
      this.#generation++;
      this.#store.forget(endedByLogoutError());
    } else this.#store.ongoing?.ended.add(leaseId);
    const done = request();
    const logouts = Promise.allSettled([this.#logouts, done]);
    this.#logouts = logouts;
    try {
      return await done;
    } finally {
      if (this.#logouts === logouts) this.#logouts = undefined;
    }
  }

  async #fetched(minTtlSeconds: number | undefined, signal: AbortSignal | undefined): Promise<LookerToken> {
    this.#hasAsked = true;
    const { clock, timeoutMs } = this.#options;
    const until = clock.monotonic() + timeoutMs;
    const generation = this.#generation;
    const call = { minTtlSeconds, signal, until, generation, pauseMs: 0, hadTooLittle: false };
    for (;;) {
      const logouts = this.#logouts;
      if (logouts) await this.#inTime(call, () => logouts);
      this.#throwIfOver(call);
      const served = this.#store.served(minTtlSeconds);
      if (served) return served.token;
      if (this.#leftMs(call) <= 0) throw outOfTimeError(timeoutMs);
      const another = this.#store.joinable();
      const token = await (another ? this.#joined(another, call) : this.#asked(call));
      if (token) return token;
    }
  }

  /** The token of another call's request. Undefined: look again. */
  async #joined(request: OngoingRequest, call: WaitingCall): Promise<LookerToken | undefined> {
    call.pauseMs = 0;
    let got: HeldToken;
    try {
      got = await this.#join(request, call);
    } catch (error) {
      this.#throwIfOver(call);
      if (!concernsOnlyOthers(request, call, error)) call.pauseMs = this.#pauseAfter(request, call, error);
      return undefined;
    }
    return this.#accepted(got, request, call);
  }

  /** A request that ends first tells the reason of its failure. A timer of the call's own would only know that nothing came. */
  #join({ task, until }: OngoingRequest, call: WaitingCall): Promise<HeldToken> {
    const endsFirst = until !== "once" && until <= call.until;
    return endsFirst ? task.join(call.signal) : this.#inTime(call, (signal) => task.join(signal));
  }

  /** The token of a request of its own. Undefined: look again. */
  async #asked(call: WaitingCall): Promise<LookerToken | undefined> {
    const request = this.#store.start(this.#requestFor(call));
    call.pauseMs = 0;
    let got: HeldToken;
    try {
      got = await request.task.join(call.signal);
    } catch (error) {
      this.#throwIfOver(call);
      if (!concernsOnlyOthers(request, call, error)) throw error;
      return undefined;
    }
    return this.#accepted(got, request, call);
  }

  #accepted(got: HeldToken, request: TokenRequest, call: WaitingCall): LookerToken | undefined {
    // Not so where a logout, a report or a later answer came between.
    if (got !== this.#store.held) return undefined;
    if (lifeLeftMs(got) >= wantedSeconds(call) * 1_000) return got.token;
    if (request.minTtlSeconds < wantedSeconds(call)) return undefined;
    if (call.hadTooLittle) throw tooLittleLifeError(got, call);
    call.hadTooLittle = true;
    call.pauseMs = untilRenewalMs(got, call);
    return undefined;
  }

  /** In the last minute of a token that will do for want of a better one, one try. Otherwise all the call's time. */
  #requestFor(call: WaitingCall): TokenRequest {
    const { held } = this.#store;
    const willDo = call.minTtlSeconds === undefined && held !== undefined && lifeLeftMs(held) > 0;
    const { pauseMs, until } = call;
    return { minTtlSeconds: wantedSeconds(call), pauseMs, until: willDo ? "once" : until };
  }

  /** How long to wait before going on by oneself, when the time of the call with the joined request is over. */
  #pauseAfter(joined: OngoingRequest, call: WaitingCall, error: unknown): number {
    if (joined.until !== "once" && error instanceof TokenBrokerError && error.retryable) {
      const waitMs = backOffMs(error, this.#store.failures, this.#options.clock);
      // With less than a second more, a thousand calls that came together would go on one after the other.
      if (call.until - joined.until >= 1_000 && waitMs < this.#leftMs(call)) return waitMs;
    }
    throw error;
  }

  #leftMs({ until }: WaitingCall): number {
    return until - this.#options.clock.monotonic();
  }

  #throwIfOver({ signal, generation }: WaitingCall): void {
    throwIfAborted(signal);
    if (generation !== this.#generation) throw endedByLogoutError();
  }

  #inTime<T>(call: WaitingCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return within(this.#leftMs(call), call.signal, () => outOfTimeError(this.#options.timeoutMs), work);
  }
}
