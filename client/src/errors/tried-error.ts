/** The last failure of several attempts. */
import { seconds } from "./duration.ts";
import { TokenBrokerError } from "./token-broker-error.ts";

export function triedError(error: TokenBrokerError, attempts: number, elapsedMs: number): TokenBrokerError {
  if (attempts === 1) return error;
  const { code, summary, hint, retryable, status, requestId, retryAfterSeconds, cause } = error;
  return new TokenBrokerError(code, `${summary} This was attempt ${attempts}, after ${seconds(elapsedMs)}.`, {
    ...{ hint, retryable, status, requestId, retryAfterSeconds, cause },
  });
}
