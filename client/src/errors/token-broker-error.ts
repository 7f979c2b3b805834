/**
 * Every failure of this package. `code` is for programs, `message` is for people and ends with the next step. Neither these
 * nor `cause` ever hold a token, a secret or a signature.
 */
import { hints, type TokenBrokerErrorCode, worthWaiting } from "./error-codes.ts";
import { printable } from "./printable.ts";

export interface TokenBrokerErrorDetails {
  /** Where the code's own hint is too general. */
  hint?: string | undefined;
  /** Of the HTTP answer. */
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** Where it is not the code's usual. */
  retryable?: boolean | undefined;
  /** Shown by loggers: an error without anything that was sent or received. */
  cause?: unknown;
}

/** The same in every copy of this module: a program may load the package as ECMAScript modules and as CommonJS. */
const brand = Symbol.for("@looker-token-broker/client/TokenBrokerError");

/**
 * @example
 * ```ts
 * import { TokenBrokerClient, TokenBrokerError } from "@looker-token-broker/client";
 *
 * try {
 *   await new TokenBrokerClient({ scope: "finance" }).token();
 * } catch (error) {
 *   if (!(error instanceof TokenBrokerError)) throw error;
 *   console.error(error.message); // with the next step
 *   if (error.code === "not_allowed") process.exitCode = 77;
 * }
 * ```
 */
export class TokenBrokerError extends Error {
  static {
    Object.defineProperty(TokenBrokerError.prototype, brand, { value: true });
  }

  /** Of whichever copy it comes. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass is asked about itself.
    if (this !== TokenBrokerError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }

  override readonly name = "TokenBrokerError";
  readonly code: TokenBrokerErrorCode;
  /** What is wrong: `message` without the hint. */
  readonly summary: string;
  /** What to do: the end of `message`. */
  readonly hint: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  declare readonly status?: number;
  declare readonly requestId?: string;
  declare readonly retryAfterSeconds?: number;

  constructor(code: TokenBrokerErrorCode, summary: string, details: TokenBrokerErrorDetails = {}) {
    const { hint = hints[code], retryable = worthWaiting.has(code), cause, ...answer } = details;
    super(printable(`${summary} ${hint}`), cause === undefined ? {} : { cause });
    this.code = code;
    this.summary = printable(summary);
    this.hint = printable(hint);
    this.retryable = retryable;
    for (const [name, value] of Object.entries(answer))
      if (value !== undefined) Object.defineProperty(this, name, { value, enumerable: true });
  }
}
