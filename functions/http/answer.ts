/** Answers as API Gateway takes them from a proxy integration: header values and the body are strings. */

import { Problem, problems } from "../domain/problem.ts";
import { Unavailable, Unreadable } from "../use-cases/ports.ts";

export interface ProxyResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** Tokens must not be kept by anything on the way: RFC 6749 §5.1, RFC 9111 §5.2.2.5. */
const noStore = { "Cache-Control": "no-store" };

export function json(statusCode: number, value: object): ProxyResult {
  return {
    statusCode,
    headers: { "Content-Type": "application/json", ...noStore },
    body: JSON.stringify(value),
  };
}

/** RFC 9457. An error that is not meant for callers becomes `internal`, which says nothing. */
export function problemAnswer(problem: Problem, requestId: string): ProxyResult {
  const { code, detail, retryAfterSeconds } = problem;
  const { status, title } = problems[code];
  return {
    statusCode: status,
    headers: {
      "Content-Type": "application/problem+json",
      ...noStore,
      ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
    },
    body: JSON.stringify({
      title,
      status,
      ...(detail === undefined ? {} : { detail }),
      code,
      request_id: requestId,
    }),
  };
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Unavailable)
    return new Problem("busy", {
      retryAfterSeconds: 2,
      reason: error.reason,
      cause: error,
    });
  // A row that was edited, or that a newer version wrote: for an operator, not for the caller.
  if (error instanceof Unreadable) return new Problem("internal", { reason: "unreadable_row", cause: error });
  return new Problem("internal", { cause: error });
}
