/** No answer came. */

import { causeOf, codeOf, isLasting, isUntrusted, says } from "./network-error.ts";
import { TokenBrokerError } from "./token-broker-error.ts";

/** `ownFetch`: the service's, for which Node's variables mean nothing. */
export function unreachableError(error: unknown, host: string, ownFetch = false): TokenBrokerError {
  const proxied = says(error, /^Proxy response \((\d{3})\)/)?.[1];
  if (proxied)
    return new TokenBrokerError("unreachable", `The proxy on the way to ${host} answered ${proxied}.`, {
      hint: "Check HTTPS_PROXY with its user and password, and the proxy's list of allowed hosts. NO_PROXY names hosts without a proxy.",
      retryable: Number(proxied) >= 500,
      cause: causeOf(error),
    });
  if (says(error, /^bad port$/))
    return new TokenBrokerError("unreachable", `${host} cannot be reached (bad port).`, {
      hint: "fetch allows no request to this port (https://fetch.spec.whatwg.org/#port-blocking). Use another one.",
      retryable: false,
    });
  const code = codeOf(error);
  const hint = (code && hintOf(code)) ?? (ownFetch ? undefined : proxyHint());
  return new TokenBrokerError("unreachable", `${host} cannot be reached${code ? ` (${code})` : ""}.`, {
    hint,
    // Failures of the network have codes. Without one the request itself could not be made.
    retryable: code !== undefined && !isLasting(code),
    cause: causeOf(error),
  });
}

function hintOf(code: string): string | undefined {
  if (isUntrusted(code))
    return "Node does not trust the certificate's issuer. For a company's own CA, or a proxy that opens TLS, set NODE_EXTRA_CA_CERTS to the CA's file, or run Node with --use-system-ca.";
  if (/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/.test(code))
    return "Check this machine's clock, and ask the operators for a new certificate.";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "The certificate is for another name: check the endpoint's host name.";
  if (/^(EPROTO|ERR_SSL_\w+|HPE_\w+)$/.test(code))
    return "Check the endpoint's scheme and port: the other side speaks another protocol.";
  return undefined;
}

/** https://nodejs.org/api/cli.html#node_use_env_proxy1 */
function proxyHint(): string | undefined {
  const { env, execArgv } = process;
  const name = ["HTTPS_PROXY", "https_proxy"].find((each) => env[each]);
  const isUsed =
    env.NODE_USE_ENV_PROXY === "1" || /--use-env-proxy/.test(`${env.NODE_OPTIONS} ${execArgv.join(" ")}`);
  if (!name || isUsed) return undefined;
  return `Node ignores ${name} until NODE_USE_ENV_PROXY=1 is set (Node 22.21, 24.5 or newer). Or pass a \`fetch\` with a proxy of its own.`;
}
