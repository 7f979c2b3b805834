/** Whether Looker does not take the token. What merely has a field `status`, such as a row of data, says nothing of that. */

/**
 * An HTTP answer with status 401: a `Response`, or what has its form, which is `status` (fetch, axios) or `statusCode`
 * (Looker's transports, undici) beside `headers`.
 */
export function isUnauthorizedResponse(answer: unknown): boolean {
  const { headers } = Object(answer) as { headers?: unknown };
  return typeof headers === "object" && headers !== null && says401(answer);
}

/** A thrown error with `status` or `statusCode` 401, or with a `response` that has. */
export function isUnauthorizedError(thrown: unknown): boolean {
  return says401(thrown) || says401((Object(thrown) as { response?: unknown }).response);
}

function says401(value: unknown): boolean {
  const { status, statusCode } = Object(value) as { status?: unknown; statusCode?: unknown };
  return status === 401 || statusCode === 401;
}

/**
 * An answer that nobody will read holds its connection until it is collected. Not awaited: of a Response that the service has
 * cloned, the cancellation waits until the clone is cancelled too.
 */
export function discardBody(answer: unknown): void {
  const { body } = Object(answer) as { body?: { cancel?: unknown } | null };
  if (typeof body?.cancel === "function") Promise.resolve(body.cancel()).catch(() => {});
}
