/** The next step after a connection that did not come about, to the broker or to AWS. */
import { isUntrusted } from "./network-error.ts";

export const proxyRefused =
  "Check HTTPS_PROXY with its user and password, and the proxy's list of allowed hosts. NO_PROXY names hosts without a proxy.";

/** Undefined: the usual hint will do. With `ownFetch`, the service's, Node's variables mean nothing. */
export const connectionHint = (code: string | undefined, ownFetch = false): string | undefined =>
  (code && hintOf(code)) || (ownFetch ? undefined : proxyHint());

function hintOf(code: string): string | undefined {
  if (code === "ERR_PROXY_TUNNEL") return proxyRefused;
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
