/** Whether a request that failed may have been done all the same. */
import { TokenBrokerError } from "@looker-token-broker/client/broker";

/** The broker may have done what it was asked to; its answer is not known. */
export class LostAnswer extends Error {
  override readonly name = "LostAnswer";
  readonly reason: TokenBrokerError;

  /** `found`: what is known otherwise. */
  constructor(reason: TokenBrokerError, found = "It may have been done all the same.") {
    super(`The broker's answer was lost. ${found} ${reason.summary}`);
    this.reason = reason;
  }
}

/** Failures of the name, of the connection's beginning and of its certificate: not a byte of the request was read. */
const unsent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+|\w+_SIGNATURE)$/;

export function mayHaveBeenDone({ code, status, cause }: TokenBrokerError): boolean {
  // What answers with an error of the caller's (4xx) has refused; behind a 5xx the function may have begun.
  if (status !== undefined) return status >= 500;
  if (code === "unreachable") return !unsent.test(String(Object(cause).code));
  return code === "timed_out" || code === "aborted";
}

/** Throws it on: as {@link LostAnswer}, or as it is where certainly nothing was done. */
export function throwLostAnswer(error: unknown): never {
  throw error instanceof TokenBrokerError && mayHaveBeenDone(error) ? new LostAnswer(error) : error;
}
