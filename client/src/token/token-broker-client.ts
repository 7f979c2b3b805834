/** Looker tokens of one scope, for one process. */

import { type BrokerRequest, callAt } from "../broker/call-broker.ts";
import { type Connection, type ConnectionOptions, connectionOf } from "../broker/connection.ts";
import { type Permissions, parsePermissions } from "../broker/permissions.ts";
import { isScopeName, scopeNameRule } from "../broker/scope-name.ts";
import { isSessionName, sessionNameRule } from "../broker/session-name.ts";
import { checkKind, checkOptions, type OptionKinds } from "../errors/options.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { throwIfAborted } from "../waiting/abort.ts";
import { type Clock, clockOf, stopwatch } from "../waiting/clock.ts";
import { checkTimeout, defaultTimeoutMs, type RetryListener, retrying, tell } from "../waiting/retry.ts";
import type { TokenAnswer } from "./held-token.ts";
import { KeyWatch } from "./key-watch.ts";
import type { LookerToken } from "./looker-token.ts";
import { TokenCache } from "./token-cache.ts";
import type { RetryLimit, TokenOptions } from "./token-request.ts";
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
  timeoutMs?: number | undefined;
  /** Called after each failed attempt with another one to come: for logs. */
  onRetry?: RetryListener | undefined;
}

export interface LogoutOptions {
  /**
   * Only this lease. Default: the leases of this client's session. For a client without a session these are all leases of
   * the caller in the scope, so those of every process of the role and of every session.
   */
  leaseId?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface LogoutResult {
  /** Tokens whose end Looker has confirmed. */
  readonly revoked: number;
  /** Tokens that are given to nobody any more, while Looker has yet to confirm. */
  readonly pending: number;
}

export interface PermissionsOptions {
  signal?: AbortSignal | undefined;
}

const kinds = {
  client: {
    scope: "string",
    session: "string",
    endpoint: "string",
    region: "string",
    credentials: "object or function",
    fetch: "function",
    timeoutMs: "number",
    onRetry: "function",
  } satisfies OptionKinds<TokenBrokerClientOptions>,
  logout: { leaseId: "string", signal: "AbortSignal" } satisfies OptionKinds<LogoutOptions>,
  permissions: { signal: "AbortSignal" } satisfies OptionKinds<PermissionsOptions>,
};

/**
 * Make one for each scope when the process starts, and use it everywhere: it keeps the token in memory.
 *
 * @example
 * ```ts
 * import { TokenBrokerClient } from "@looker-token-broker/client";
 *
 * const broker = new TokenBrokerClient({ scope: "sales" });
 * const response = await broker.withToken((token) =>
 *   fetch(`${token.baseUrl}/api/4.0/user`, { headers: { Authorization: `Bearer ${token.accessToken}` } }),
 * );
 * console.log(response.status);
 * ```
 */
export class TokenBrokerClient implements TokenSource {
  readonly scope: string;
  /** Undefined: the token that the role shares. */
  readonly session: string | undefined;
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #onRetry: RetryListener | undefined;
  readonly #clock: Clock;
  readonly #cache: TokenCache;

  constructor(options: TokenBrokerClientOptions) {
    const given: Partial<TokenBrokerClientOptions> = options ?? {};
    checkOptions("TokenBrokerClient", given, kinds.client);
    const { scope, session, credentials, timeoutMs = defaultTimeoutMs } = given;
    if (scope === undefined)
      throw new TokenBrokerError("bad_request", "TokenBrokerClient needs the option `scope`.", {
        hint: "`scope` names the grant. `looker-token scopes` lists those of your role.",
      });
    if (!isScopeName(scope)) throw new TokenBrokerError("bad_request", scopeNameRule);
    // Also "", of a variable that is not set: without a name this client would share, and end, the role's token.
    if (session !== undefined && !isSessionName(session))
      throw new TokenBrokerError("bad_request", sessionNameRule);
    checkTimeout(timeoutMs);
    this.scope = scope;
    this.session = session;
    this.#clock = clockOf(given);
    const connection = connectionOf(given);
    const keys = credentials && new KeyWatch(connection.credentials, credentials, this.#clock);
    this.#connection = keys ? { ...connection, credentials: keys.provider } : connection;
    this.#timeoutMs = timeoutMs;
    this.#onRetry = given.onRetry;
    this.#cache = new TokenCache({
      ...{ scope, timeoutMs, keys, clock: this.#clock },
      ask: (wanted, signal, limit) => {
        const body = { ...wanted, ...this.#sessionField };
        return this.#call({ method: "POST", path: `/scopes/${scope}/token`, body, signal }, limit);
      },
      onRetry: (event) => tell(this.#onRetry, event),
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
    checkKind("`use` of withToken", "function", use);
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
  async logout(options: LogoutOptions = {}): Promise<LogoutResult> {
    checkOptions("logout", options, kinds.logout);
    const { leaseId, signal } = options;
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

  /** Who the caller is to the broker, and what it may do. */
  async permissions(options: PermissionsOptions = {}): Promise<Permissions> {
    checkOptions("permissions", options, kinds.permissions);
    const { body } = await this.#call({ method: "GET", path: "/scopes", signal: options.signal });
    return parsePermissions(body);
  }

  /**
   * For `await using`: ends the client's session. Without a session it asks nothing and ends nothing, because other processes
   * of the role use the same lease.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.session !== undefined && this.#cache.hasAsked) await this.logout();
  }

  /** Without fields for undefined values, because an older broker refuses unknown fields. */
  #logoutBody(leaseId: string | undefined): object | undefined {
    const body = { ...(leaseId === undefined ? {} : { lease_id: leaseId }), ...this.#sessionField };
    return Object.keys(body).length === 0 ? undefined : body;
  }

  get #sessionField(): { session?: string } {
    return this.session === undefined ? {} : { session: this.session };
  }

  #call(request: BrokerRequest, limit: RetryLimit = this.#timeoutMs): Promise<TokenAnswer> {
    const clock = this.#clock;
    const attempt = async (timeoutMs: number) => {
      const elapsedMs = stopwatch(clock);
      const now = () => clock.now();
      const { body, accessKeyId } = await callAt(now, this.#connection, { ...request, timeoutMs });
      return { body, accessKeyId, elapsedMs };
    };
    if (limit === "once") return attempt(Math.min(onceMs, this.#timeoutMs));
    return retrying(attempt, { timeoutMs: limit, signal: request.signal, onRetry: this.#onRetry }, clock);
  }
}
