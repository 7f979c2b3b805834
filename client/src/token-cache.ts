/** The one token in memory: single flight, refresh ahead, and what becomes of it when it is dead. */
import { abortable, aborted, throwIfAborted } from "./abort.ts";
import { type Clock, stopwatch } from "./clock.ts";
import { TokenBrokerError, type TokenBrokerErrorCode } from "./errors.ts";
import { Flight } from "./flight.ts";
import { defaultMinTtlSeconds, type HeldToken, heldToken, type TokenAnswer } from "./held-token.ts";
import type { LookerToken } from "./looker-token.ts";
import { pauseMs } from "./retry.ts";

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

/** The broker has decided: a token that is still in memory is dead, or about to be. */
const refusals: ReadonlySet<TokenBrokerErrorCode> = new Set(["scope_frozen", "not_allowed", "access_denied"]);

interface Asking {
  readonly flight: Flight<HeldToken>;
  readonly minTtlSeconds: number;
  readonly stale: string | undefined;
  readonly once: boolean;
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

  get hasToken(): boolean {
    return this.#served(undefined) !== undefined;
  }

  async token({ minTtlSeconds, signal }: TokenOptions = {}): Promise<LookerToken> {
    throwIfAborted(signal);
    const served = this.#served(minTtlSeconds);
    if (!served) return this.#fetched(minTtlSeconds, signal);
    this.#refreshIfDue(served);
    return served.token;
  }

  /** Another token than this one, which Looker has refused. */
  insteadOf({ leaseId }: LookerToken, options: TokenOptions): Promise<LookerToken> {
    const isLatest = this.#held ? this.#held.token.leaseId === leaseId : this.#stale === undefined;
    if (isLatest) {
      this.#held = undefined;
      this.#stale = leaseId;
    }
    return this.token(options);
  }

  /** Forgets the token if it is of this lease, or whichever it is, and gives none out until the work is done. */
  async ending<T>(leaseId: string | undefined, work: () => Promise<T>): Promise<T> {
    if (leaseId === undefined || this.#held === undefined || this.#held.token.leaseId === leaseId)
      this.#forget();
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
    const leftMs = held.lifeMs - held.elapsedMs();
    if (leftMs >= (minTtlSeconds ?? defaultMinTtlSeconds) * 1_000) return held;
    // The broker was asked for a better one just now, in vain, and nobody insists.
    return minTtlSeconds === undefined && leftMs > 0 && this.#isPausing() ? held : undefined;
  }

  async #fetched(minTtlSeconds: number | undefined, signal: AbortSignal | undefined): Promise<LookerToken> {
    const wanted = minTtlSeconds ?? defaultMinTtlSeconds;
    checkMinTtl(wanted);
    const { clock, budgetMs } = this.#options;
    const begin = clock.monotonic();
    const generation = this.#generation;
    for (;;) {
      if (this.#ending) await abortable(this.#ending, signal);
      throwIfAborted(signal);
      if (generation !== this.#generation) throw endedByLogout();
      const served = this.#served(minTtlSeconds);
      if (served) return served.token;

      const asking =
        this.#joinable() ?? this.#ask(wanted, minTtlSeconds, budgetMs - (clock.monotonic() - begin));
      try {
        const got = await asking.flight.join(signal);
        // Not so where a logout, a report or a later answer came between.
        if (got === this.#held && asking.minTtlSeconds >= wanted) return got.token;
      } catch (error) {
        throwIfAborted(signal);
        if (generation !== this.#generation) throw endedByLogout();
        if (!wasAnothers(asking, wanted, error)) throw error;
      }
    }
  }

  #joinable(): Asking | undefined {
    const asking = this.#asking;
    return asking && asking.stale === this.#stale && !asking.flight.stopped ? asking : undefined;
  }

  /** In the last minute of a token that will do for want of a better one, one try; else all the patience there is. */
  #ask(wanted: number, minTtlSeconds: number | undefined, budgetMs: number): Asking {
    const held = this.#held;
    const willDo = minTtlSeconds === undefined && held !== undefined && held.elapsedMs() < held.lifeMs;
    return this.#start(wanted, willDo ? "once" : budgetMs, false);
  }

  /** Never awaited: the caller has its token. */
  #refreshIfDue(held: HeldToken): void {
    if (this.#asking || this.#ending || held.elapsedMs() < held.refreshAtMs || this.#isPausing()) return;
    // With less life asked for, the broker might give the same lease again until its own time to renew.
    const halfLifeSeconds = Math.floor(held.lifeMs / 2_000);
    this.#start(Math.max(defaultMinTtlSeconds, halfLifeSeconds), "once", true);
  }

  #start(minTtlSeconds: number, patience: Patience, unattended: boolean): Asking {
    const { scope, clock, ask } = this.#options;
    const stale = this.#stale;
    const body = {
      min_ttl_seconds: minTtlSeconds,
      ...(stale === undefined ? {} : { stale_lease_id: stale }),
    };
    const work = async (signal: AbortSignal) => {
      try {
        const got = heldToken(await ask(body, signal, patience), scope, clock);
        if (got.token.leaseId === stale)
          throw new TokenBrokerError("not_a_broker", "The answer is the lease that was reported as stale.");
        if (this.#asking === asking) this.#hold(got);
        return got;
      } catch (error) {
        if (this.#asking === asking) this.#noteFailure(error);
        throw error;
      } finally {
        if (this.#asking === asking) this.#asking = undefined;
      }
    };
    const flight = new Flight(work, { unattended });
    const asking: Asking = { flight, minTtlSeconds, stale, once: patience === "once" };
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

/** A single try beside a live token, or a wish that only the other had: so it must be asked again, for oneself. */
const wasAnothers = (asking: Asking, wanted: number, error: unknown) =>
  error instanceof TokenBrokerError &&
  ((asking.once && !refusals.has(error.code)) ||
    (error.code === "bad_request" && asking.minTtlSeconds !== wanted));

function checkMinTtl(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 1_800)
    throw new TokenBrokerError("bad_request", "minTtlSeconds must be a whole number from 1 to 1800.");
}
