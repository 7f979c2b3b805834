/** The way to the broker: the name, the proxy, the certificate, and whose clock is right. No credentials are needed yet. */
import { lookup } from "node:dns/promises";
import type { Connection } from "@looker-token-broker/client/broker";
import { exitCodes } from "../exit-codes.ts";
import { outboundProxy } from "../outbound-proxy.ts";
import { span } from "../time.ts";
import { type Finding, Trouble } from "./examination.ts";

const patienceMs = 10_000;

export function checkProxy(): Finding<true> {
  const proxy = outboundProxy();
  if (proxy.kind === "none") return { value: true, found: "HTTPS_PROXY is not set." };
  if (proxy.kind === "ignored")
    return {
      value: true,
      found: `HTTPS_PROXY (${proxy.shown}) is not used: ${proxy.why}.`,
      next: "Where the broker can be reached through the proxy only, take Node 24.14 or newer, or set NODE_USE_ENV_PROXY=1 (Node 22.21 or newer).",
    };
  return {
    value: true,
    found: `HTTPS_PROXY (${proxy.shown}) is used, but for hosts of NO_PROXY. Requests to AWS for credentials (STS, SSO) go past it.`,
  };
}

/** One unsigned request, for which API Gateway has an answer as well. @returns the answer's Date in milliseconds, or null. */
export async function checkNetwork({ endpoint }: Connection): Promise<Finding<{ date: number | null }>> {
  const { hostname } = endpoint;
  const throughProxy = outboundProxy().kind === "used" && endpoint.protocol === "https:";
  // Through a proxy the name is the proxy's to look up.
  const address = throughProxy ? undefined : await addressOf(hostname);
  try {
    const answer = await fetch(`${endpoint.href.replace(/\/$/, "")}/scopes`, {
      redirect: "manual",
      signal: AbortSignal.timeout(patienceMs),
    });
    await answer.arrayBuffer();
    const date = Date.parse(answer.headers.get("date") ?? "");
    const how =
      endpoint.protocol === "https:" ? "by https, with a certificate that is trusted here" : "by http";
    return {
      value: { date: Number.isNaN(date) ? null : date },
      found: `${endpoint.host} answers ${how}${address ? ` (${address})` : ""}.`,
    };
  } catch (error) {
    throw connectionTrouble(error, endpoint.host, throughProxy);
  }
}

async function addressOf(hostname: string): Promise<string> {
  try {
    return (await lookup(hostname.replace(/^\[|\]$/g, ""))).address;
  } catch (error) {
    throw new Trouble(
      "unreachable",
      exitCodes.unavailable,
      `The name ${hostname} is not known here (${codeOf(error)}).`,
      "Check the endpoint's spelling. The name of a private API is known only within its VPC.",
    );
  }
}

/** Node's and OpenSSL's words for a certificate that does not do. */
const untrusted = /^(CERT_.*|ERR_TLS_.*|.*_SIGNATURE|.*SELF_SIGNED.*|UNABLE_TO_.*|DEPTH_ZERO_.*)$/;

export function connectionTrouble(error: unknown, host: string, throughProxy: boolean): Trouble {
  const code = codeOf(error);
  const trouble = (message: string, hint: string) =>
    new Trouble("unreachable", exitCodes.unavailable, message, hint);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return trouble(
      `The certificate that came is for another name than ${host} (${code}).`,
      "Check the endpoint's name, and that nothing on the way answers in its place.",
    );
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return trouble(
      `The certificate of ${host} is not valid at this machine's time (${code}).`,
      "Check this machine's clock first, then tell the broker's operators.",
    );
  if (untrusted.test(code))
    return trouble(
      `The certificate of ${host} is not trusted here (${code}).`,
      "Where your company's proxy opens TLS, or the API has a private certificate, set NODE_EXTRA_CA_CERTS to the file of that CA.",
    );
  const reason = Object(error).name === "TimeoutError" ? `within ${patienceMs / 1_000} s` : `(${code})`;
  return throughProxy
    ? trouble(
        `No answer of ${host} came through the proxy of HTTPS_PROXY ${reason}.`,
        "Check the proxy's address, user and password, and that it lets this host through. NO_PROXY leaves hosts out.",
      )
    : trouble(
        `${host} gave no answer ${reason}.`,
        "Check the network, a proxy that is needed (HTTPS_PROXY), and a private API's VPC endpoint.",
      );
}

/** fetch gives the reason as its cause, and one of several addresses' in a list. */
function codeOf(error: unknown): string {
  for (let at = Object(error), depth = 0; depth < 5; at = Object(at.cause ?? at.errors?.[0]), depth++)
    if (typeof at.code === "string" && /^[A-Z0-9_]{3,50}$/.test(at.code)) return at.code;
  return "no reason given";
}

/** AWS takes no signature that is five minutes old, or early. */
const allowedSeconds = 300;

export function checkClock({ date }: { date: number | null }, now = Date.now()): Finding<true> {
  if (date === null)
    return {
      value: true,
      found: "The answer has no Date, so this machine's clock cannot be compared.",
      next: "Compare it yourself: AWS refuses requests whose time is five minutes wrong.",
    };
  const aheadSeconds = Math.round((now - date) / 1_000);
  const apart = span(Math.abs(aheadSeconds));
  const found = `This machine's clock is ${apart} ${aheadSeconds < 0 ? "behind" : "ahead of"} the answer's Date.`;
  // A Date is cut to its second, and has been under way.
  if (Math.abs(aheadSeconds) <= 15) return { value: true, found: "This machine's clock is right." };
  const next =
    "Set this machine's clock right, best by NTP: AWS refuses requests whose time is five minutes wrong.";
  if (Math.abs(aheadSeconds) >= allowedSeconds)
    throw new Trouble("clock_skew", exitCodes.refused, found, next);
  return { value: true, found, next };
}
