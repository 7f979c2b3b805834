/** No answer came. */

import { connectionHint, proxyRefused } from "./connection-hint.ts";
import { causeOf, codeOf, isLasting, says } from "./network-error.ts";
import { TokenBrokerError } from "./token-broker-error.ts";

export function unreachableError(error: unknown, host: string, ownFetch = false): TokenBrokerError {
  const proxied = says(error, /^Proxy response \((\d{3})\)/)?.[1];
  if (proxied)
    return new TokenBrokerError("unreachable", `The proxy on the way to ${host} answered ${proxied}.`, {
      hint: proxyRefused,
      retryable: Number(proxied) >= 500,
      cause: causeOf(error),
    });
  if (says(error, /^bad port$/))
    return new TokenBrokerError("unreachable", `${host} cannot be reached (bad port).`, {
      hint: "fetch allows no request to this port (https://fetch.spec.whatwg.org/#port-blocking). Use another one.",
      retryable: false,
    });
  const code = codeOf(error);
  const hint = connectionHint(code, ownFetch);
  return new TokenBrokerError("unreachable", `${host} cannot be reached${code ? ` (${code})` : ""}.`, {
    hint,
    // Failures of the network have codes. Without one the request itself could not be made.
    retryable: code !== undefined && !isLasting(code),
    cause: causeOf(error),
  });
}
