/** The token in memory, and the one request that is under way for its successor. */

import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { type Clock, stopwatch } from "../waiting/clock.ts";
import { backOffMs, type RetryListener, sleep } from "../waiting/retry.ts";
import { SharedTask } from "../waiting/shared-task.ts";
import {
  defaultMinTtlSeconds,
  type HeldToken,
  heldToken,
  lifeLeftMs,
  maxMinTtlSeconds,
  type TokenAnswer,
} from "./held-token.ts";
import type { KeyWatch } from "./key-watch.ts";
import {
  endedByLogoutError,
  isRefusal,
  type OngoingRequest,
  type RetryLimit,
  type TokenRequest,
  type TokenRequestBody,
} from "./token-request.ts";

export interface TokenStoreOptions {
  readonly scope: string;
  readonly clock: Clock;
  /** Undefined: the credentials cannot become another caller's unnoticed. */
  readonly keys: KeyWatch | undefined;
  ask(body: TokenRequestBody, signal: AbortSignal, limit: RetryLimit): Promise<TokenAnswer>;
  /** For the failure of a single try, because no call gets its error. */
  readonly onRetry: RetryListener;
}

export class TokenStore {
  readonly #options: TokenStoreOptions;
  #held: HeldToken | undefined;
  #ongoing: OngoingRequest | undefined;
  /** The lease of a token after Looker's refusal. Every request reports it until the broker has given another. */
  #stale: string | undefined;
  #failures = 0;
  /** While it lasts, a refresh that failed is not tried again. */
  #pause: { readonly milliseconds: number; elapsedMs(): number } | undefined;

  constructor(options: TokenStoreOptions) {
    this.#options = options;
  }

  get held(): HeldToken | undefined {
    return this.#held;
  }

  get ongoing(): OngoingRequest | undefined {
    return this.#ongoing;
  }

  /** The lease in memory, or the one that was there until Looker refused it. */
  get leaseId(): string | undefined {
    return this.#held?.token.leaseId ?? this.#stale;
  }

  /** How many requests in a row have failed. */
  get failures(): number {
    return this.#failures;
  }

  /** The held token, if it will do. */
  served(minTtlSeconds: number | undefined): HeldToken | undefined {
    const held = this.#held;
    if (!held) return undefined;
    if (this.#options.keys?.mayServe(held.accessKeyId) === false) {
      // The credentials have become another caller's, or may have. The broker will tell.
      this.#clear();
      return undefined;
    }
    const leftMs = lifeLeftMs(held);
    if (leftMs >= (minTtlSeconds ?? defaultMinTtlSeconds) * 1_000) return held;
    // The broker was asked for a better one just now, in vain, and nobody insists.
    return minTtlSeconds === undefined && leftMs > 0 && this.#isPausing() ? held : undefined;
  }

  /** The request under way, unless it began before Looker refused the token. */
  joinable(): OngoingRequest | undefined {
    const ongoing = this.#ongoing;
    return ongoing && ongoing.stale === this.#stale && !ongoing.task.stopped ? ongoing : undefined;
  }

  /** Looker has refused this lease. It counts once, however many calls met it. */
  report(leaseId: string): void {
    const isLatest = this.#held ? this.#held.token.leaseId === leaseId : this.#stale === undefined;
    if (!isLatest) return;
    this.#held = undefined;
    this.#stale = leaseId;
  }

  /** Also ends the request under way. */
  forget(reason: TokenBrokerError): void {
    this.#clear();
    this.#ongoing?.task.stop(reason);
    this.#ongoing = undefined;
  }

  #clear(): void {
    this.#held = undefined;
    this.#stale = undefined;
    this.#pause = undefined;
  }

  /** Never awaited: the caller has its token. */
  refreshIfDue(held: HeldToken): void {
    if (this.#ongoing || held.elapsedMs() < held.refreshAtMs || this.#isPausing()) return;
    // With less life asked for, the broker might give the same lease again until its own time to renew.
    const halfLifeSeconds = Math.floor(held.lifeMs / 2_000);
    const minTtlSeconds = Math.min(maxMinTtlSeconds, Math.max(defaultMinTtlSeconds, halfLifeSeconds));
    this.start({ minTtlSeconds, until: "once", pauseMs: 0 }, true);
  }

  /** An `unattended` request goes on without a waiting call. */
  start(request: TokenRequest, unattended = false): OngoingRequest {
    const stale = this.#stale;
    const ongoing: OngoingRequest = {
      ...request,
      task: new SharedTask((signal) => this.#run(ongoing, signal), { unattended }),
      stale,
      ended: new Set(),
    };
    this.#ongoing = ongoing;
    return ongoing;
  }

  async #run(request: OngoingRequest, signal: AbortSignal): Promise<HeldToken> {
    try {
      const got = await this.#fetch(request, signal);
      if (this.#ongoing === request) this.#hold(got);
      return got;
    } catch (error) {
      if (this.#ongoing === request) this.#noteFailure(error, request);
      throw error;
    } finally {
      if (this.#ongoing === request) this.#ongoing = undefined;
    }
  }

  async #fetch(request: OngoingRequest, signal: AbortSignal): Promise<HeldToken> {
    const { scope, clock, ask } = this.#options;
    const { minTtlSeconds, until, pauseMs, stale, ended } = request;
    if (pauseMs > 0) await sleep(pauseMs, signal, clock);
    const body = {
      min_ttl_seconds: minTtlSeconds,
      ...(stale === undefined ? {} : { stale_lease_id: stale }),
    };
    const limit = until === "once" ? until : until - clock.monotonic();
    const got = heldToken(await ask(body, signal, limit), scope, clock);
    const { leaseId } = got.token;
    if (leaseId === stale)
      throw new TokenBrokerError("not_a_broker", "The answer is the lease that was reported as stale.");
    if (ended.has(leaseId)) throw endedByLogoutError();
    return got;
  }

  #hold(got: HeldToken): void {
    this.#failures = 0;
    this.#pause = undefined;
    // Reported while this was under way.
    if (got.token.leaseId === this.#stale) return;
    this.#stale = undefined;
    this.#held = got;
  }

  #noteFailure(error: unknown, { until }: TokenRequest): void {
    if (!(error instanceof TokenBrokerError) || error.code === "aborted") return;
    if (isRefusal(error) || this.#isOfAnother(error)) this.#held = undefined;
    const { clock, onRetry } = this.#options;
    // At least a second: a token that is called for often must not become a storm.
    const milliseconds = 1_000 + backOffMs(error, this.#failures++, clock);
    this.#pause = { milliseconds, elapsedMs: stopwatch(clock) };
    if (until === "once" && this.#held) onRetry({ error, attempt: this.#failures, delayMs: milliseconds });
  }

  /** IAM refuses credentials other than the token's: the token may be another caller's. */
  #isOfAnother({ code }: TokenBrokerError): boolean {
    const held = this.#held;
    return code === "access_denied" && !!held && this.#options.keys?.isLatest(held.accessKeyId) === false;
  }

  #isPausing(): boolean {
    return this.#pause !== undefined && this.#pause.elapsedMs() < this.#pause.milliseconds;
  }
}
