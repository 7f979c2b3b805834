/**
 * Everything that can be answered but success: a stable `code`, its status, and words that say what to do.
 * RFC 9457; the codes are part of the HTTP interface.
 */

export const problems = {
  bad_request: { status: 400, title: "The request is not valid" },
  payload_too_large: { status: 413, title: "The request body is over 4 KB" },
  not_allowed: { status: 403, title: "Not allowed" },
  scope_frozen: { status: 403, title: "The scope is frozen" },
  too_many_mints: { status: 429, title: "Too many new tokens were asked for" },
  looker_rejected_credentials: { status: 502, title: "Looker does not accept the scope's credentials" },
  looker_unavailable: { status: 503, title: "Looker is not available" },
  busy: { status: 503, title: "Not ready; try again" },
  internal: { status: 500, title: "Internal error" },
} as const;

export type ProblemCode = keyof typeof problems;

export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  /** What the caller reads. Never holds anything that came from Looker, a secret, a token or the request. */
  readonly detail: string | undefined;
  /** Whole seconds for `Retry-After` (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number | undefined;
  /** For the audit record only: which lock refused, which dependency failed. */
  readonly reason: string | undefined;

  constructor(
    code: ProblemCode,
    more: {
      detail?: string | undefined;
      retryAfterSeconds?: number | undefined;
      reason?: string;
      cause?: unknown;
    } = {},
  ) {
    super(code, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.detail = more.detail;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.reason = more.reason;
  }
}
