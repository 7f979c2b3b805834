/** The same error, whose summary says more. */
import { TokenBrokerError } from "./token-broker-error.ts";

export function longerError(error: TokenBrokerError, more: string): TokenBrokerError {
  const { code, summary, hint, retryable, status, requestId, retryAfterSeconds, cause } = error;
  return new TokenBrokerError(code, `${summary} ${more}`, {
    ...{ hint, retryable, status, requestId, retryAfterSeconds, cause },
  });
}
