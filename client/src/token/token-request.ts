/** Calls to `token()`, and the requests to the broker that serve them. One request may serve a thousand calls. */

import { seconds } from "../errors/duration.ts";
import type { TokenBrokerErrorCode } from "../errors/error-codes.ts";
import type { OptionKinds } from "../errors/options.ts";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import { abortedError } from "../waiting/abort.ts";
import type { SharedTask } from "../waiting/shared-task.ts";
import { defaultMinTtlSeconds, type HeldToken, lifeLeftMs, maxMinTtlSeconds } from "./held-token.ts";

export interface TokenOptions {
  /** The least life that the token must have left, 1 to half of the scope's lease. Default 60. */
  minTtlSeconds?: number | undefined;
  /** Stops this call's waiting, and nobody else's. */
  signal?: AbortSignal | undefined;
}

export const tokenOptionKinds = {
  minTtlSeconds: "number",
  signal: "AbortSignal",
} satisfies OptionKinds<TokenOptions>;

export interface TokenRequestBody {
  min_ttl_seconds: number;
  stale_lease_id?: string;
}

/** One try, or as many as fit into so many milliseconds. */
export type RetryLimit = "once" | number;

/** A call without an answer from memory. */
export interface WaitingCall {
  /** Undefined: a token with less than usual will do, if there is no better one. */
  readonly minTtlSeconds: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** By the monotonic clock. */
  readonly until: number;
  /** A later one: a logout has ended this call. */
  readonly generation: number;
  /** Before a request of its own. */
  pauseMs: number;
  /** An answer of its own request had too little life. */
  hadTooLittle: boolean;
}

export const wantedSeconds = ({ minTtlSeconds }: Pick<WaitingCall, "minTtlSeconds">): number =>
  minTtlSeconds ?? defaultMinTtlSeconds;

export interface TokenRequest {
  readonly minTtlSeconds: number;
  /** The end of its time by the monotonic clock, or a single try. */
  readonly until: number | "once";
  /** The wait before it is sent. */
  readonly pauseMs: number;
}

export interface OngoingRequest extends TokenRequest {
  readonly task: SharedTask<HeldToken>;
  /** The reported lease. */
  readonly stale: string | undefined;
  /** Leases of logouts that came meanwhile. */
  readonly ended: Set<string>;
}

/**
 * By the broker's decision a token in memory is dead, or about to be. `access_denied` is another thing, because the caller's
 * IAM policy is about requests and not about tokens.
 */
const refusals: ReadonlySet<TokenBrokerErrorCode> = new Set(["scope_frozen", "not_allowed"]);

export const isRefusal = ({ code }: TokenBrokerError): boolean => refusals.has(code);

/** The failure is of a single try next to a live token, or of a longer life for another call. */
export const concernsOnlyOthers = (request: TokenRequest, call: WaitingCall, error: unknown): boolean =>
  error instanceof TokenBrokerError &&
  ((request.until === "once" && !isRefusal(error) && error.code !== "aborted") ||
    (error.code === "bad_request" && request.minTtlSeconds !== wantedSeconds(call)));

export const endedByLogoutError = () => abortedError("logout() ended the request of this call.");

export const outOfTimeError = (timeoutMs: number) =>
  new TokenBrokerError("timed_out", `No token came within ${seconds(timeoutMs)}.`, { retryable: true });

export const tooLittleLifeError = (got: HeldToken, call: WaitingCall) =>
  new TokenBrokerError(
    "too_little_life",
    `The broker gave a token with ${Math.max(0, Math.floor(lifeLeftMs(got) / 1_000))} s of life left where ${wantedSeconds(call)} s were asked for, twice.`,
  );

/**
 * Until the broker can only answer with another lease, because this one has less life than the call asks for. `expires_in` is
 * cut to whole seconds. At most a second.
 */
export const untilRenewalMs = (got: HeldToken, call: WaitingCall) =>
  Math.max(0, lifeLeftMs(got) + 1_000 - wantedSeconds(call) * 1_000);

export function checkMinTtl(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxMinTtlSeconds)
    throw new TokenBrokerError(
      "bad_request",
      `minTtlSeconds must be a whole number from 1 to ${maxMinTtlSeconds}, half of the longest lease, and not ${seconds}.`,
      { hint: "Ask for at most half of the scope's lease: `leaseSeconds` of `permissions()`." },
    );
}
