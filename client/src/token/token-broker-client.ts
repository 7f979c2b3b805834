/** Looker tokens of one scope, for one process. */

import { type BrokerRequest, callBroker } from "../broker/call-broker.ts";
import { type Connection, type ConnectionOptions, connect } from "../broker/connection.ts";
import { isScopeName, scopeNameRule } from "../broker/scope-name.ts";
import { type Caller, callerOf, grantsOf, type ScopeGrant } from "../broker/scopes.ts";
import { isSessionName, sessionNameRule } from "../broker/session-name.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { throwIfAborted } from "../waiting/abort.ts";
import { type Clock, stopwatch, systemClock } from "../waiting/clock.ts";
import { defaultBudgetMs, withRetries } from "../waiting/retry.ts";
import type { TokenAnswer } from "./held-token.ts";
import type { LookerToken } from "./looker-token.ts";
import { type RetryLimit, TokenCache, type TokenOptions } from "./token-cache.ts";
import type { TokenSource } from "./token-source.ts";
import { discardBody, isUnauthorizedError, isUnauthorizedResponse } from "./unauthorized.ts";

/** A single try, beside a token that still lives. */
const onceMs = 5_000;

export interface TokenBrokerClientOptions extends ConnectionOptions {
  scope: string;
  /**
   * A name for a token of its own, so for a Looker API session with its own workspace. Clients of one role share a token
   * without it, and with the same name. For jobs and tools. Services share. Each session takes a login at Looker.
   */
  session?: string | undefined;
  /** For how long a call may wait in all for a broker that is busy or away; then it fails. Default 30,000. */
  budgetMs?: number | undefined;
  /** For tests. */
  clock?: Clock | undefined;
}

export interface LogoutOptions {
  /**
   * Only this lease. Default: the leases of this client's session. For a client without a session these are all leases of
   * the caller in the scope, so those of every process of the role and of every session.
   */
  leaseId?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface LoggedOut {
  /** Tokens whose end Looker has confirmed. */
  readonly revoked: number;
  /** Tokens that are given to nobody any more, while Looker has yet to confirm. */
  readonly pending: number;
}

export class TokenBrokerClient implements TokenSource {
  readonly scope: string;
  /** Undefined: the token that the role shares. */
  readonly session: string | undefined;
  readonly #connection: Connection;
  readonly #budgetMs: number;
  readonly #clock: Clock;
  readonly #cache: TokenCache;

  constructor(options: TokenBrokerClientOptions) {
    const { scope, session, budgetMs = defaultBudgetMs, clock = systemClock } = options;
    if (!isScopeName(scope)) throw new TokenBrokerError("bad_request", scopeNameRule);
    // Also "", of a variable that is not set: without a name this client would share, and end, the role's token.
    if (session !== undefined && !isSessionName(session))
      throw new TokenBrokerError("bad_request", sessionNameRule);
    this.scope = scope;
    this.session = session;
    this.#connection = connect(options);
    // NaN, of a variable that is not set, would wait for ever.
    if (!(Number.isFinite(budgetMs) && budgetMs > 0))
      throw new TokenBrokerError("bad_request", "budgetMs must be a number of milliseconds above 0.");
    this.#budgetMs = budgetMs;
    this.#clock = clock;
    this.#cache = new TokenCache({
      scope,
      clock,
      budgetMs,
      ask: (body, signal, limit) =>
        this.#call(
          {
            method: "POST",
            path: `/scopes/${scope}/token`,
            body: { ...body, ...this.#sessionField },
            signal,
          },
          limit,
        ),
    });
  }

  /**
   * A live token: from memory, or from the broker where none there has `minTtlSeconds` left. While the broker cannot be
   * asked, and no `minTtlSeconds` is named, a token is served to its very end.
   */
  token(options?: TokenOptions): Promise<LookerToken> {
    return this.#cache.token(options);
  }

  /**
   * Calls `use` with a token. Where Looker refuses that (a Response with status 401 is returned, or an error with `status`
   * or `statusCode` 401 is thrown), it reports the lease as stale and calls once more with another token. Where `logout()`
   * came between it fails with `aborted`.
   */
  async withToken<T>(use: (token: LookerToken) => T | Promise<T>, options: TokenOptions = {}): Promise<T> {
    const { generation } = this.#cache;
    const first = await this.token(options);
    try {
      const result = await use(first);
      if (!isUnauthorizedResponse(result)) return result;
      discardBody(result);
    } catch (error) {
      if (!isUnauthorizedError(error)) throw error;
    }
    return use(await this.#cache.replacementFor(first, generation, options));
  }

  /** Whether a call to `token()` would be answered from memory. */
  get hasToken(): boolean {
    return this.#cache.hasToken;
  }

  /**
   * Forgets the token and ends the leases at the broker. Calls to `token()` that still wait fail with `aborted`; later ones
   * get a new lease.
   */
  async logout({ leaseId, signal }: LogoutOptions = {}): Promise<LoggedOut> {
    throwIfAborted(signal);
    return this.#cache.logOut(leaseId, async () => {
      const { body } = await this.#call({
        method: "POST",
        path: `/scopes/${this.scope}/logout`,
        body: this.#logoutBody(leaseId),
        signal,
      });
      const { revoked, pending } = Object(body);
      if (typeof revoked !== "number" || typeof pending !== "number")
        throw new TokenBrokerError("not_a_broker", "The answer is not a token broker's.");
      return { revoked, pending };
    });
  }

  /** The scopes that list the caller, and as what. The caller's IAM policy is another lock, and not shown. */
  async scopes(options: { signal?: AbortSignal | undefined } = {}): Promise<ScopeGrant[]> {
    return grantsOf(await this.#permissions(options.signal));
  }

  /** Who the caller is to the broker. */
  async whoAmI(options: { signal?: AbortSignal | undefined } = {}): Promise<Caller> {
    return callerOf(await this.#permissions(options.signal));
  }

  /** Without fields for undefined values, because an older broker refuses unknown fields. */
  #logoutBody(leaseId: string | undefined): object | undefined {
    const body = { ...(leaseId === undefined ? {} : { lease_id: leaseId }), ...this.#sessionField };
    return Object.keys(body).length === 0 ? undefined : body;
  }

  get #sessionField(): { session?: string } {
    return this.session === undefined ? {} : { session: this.session };
  }

  async #permissions(signal: AbortSignal | undefined): Promise<unknown> {
    return (await this.#call({ method: "GET", path: "/scopes", signal })).body;
  }

  #call(request: BrokerRequest, limit: RetryLimit = this.#budgetMs): Promise<TokenAnswer> {
    const clock = this.#clock;
    const attempt = async (timeoutMs: number) => {
      const elapsedMs = stopwatch(clock);
      const { body } = await callBroker(this.#connection, { ...request, timeoutMs, now: () => clock.now() });
      return { body, elapsedMs };
    };
    if (limit === "once") return attempt(Math.min(onceMs, this.#budgetMs));
    return withRetries(attempt, { budgetMs: limit, signal: request.signal, clock });
  }
}
