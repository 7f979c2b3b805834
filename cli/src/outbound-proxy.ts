/**
 * HTTPS_PROXY and NO_PROXY. Node reads them by itself only under NODE_USE_ENV_PROXY=1, and on request from 24.14 on:
 * https://nodejs.org/api/http.html#httpsetglobalproxyfromenvproxyenv
 */
import http from "node:http";

const read = ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] as const;

export type OutboundProxy =
  | { kind: "none" }
  /** `shown`: without the user's name and password. */
  | { kind: "used"; shown: string }
  | { kind: "ignored"; shown: string; why: string };

/** HTTP_PROXY stays out: only servers on this machine are asked by http. */
export function proxyVariables(environment = process.env): Record<string, string> {
  const pairs = read.map((name) => [name, environment[name]] as const);
  return Object.fromEntries(
    pairs.filter((pair): pair is [(typeof read)[number], string] => Boolean(pair[1])),
  );
}

let current: OutboundProxy | undefined;

/** For every `fetch` of this process, from the first request on. */
export function useOutboundProxy(): void {
  current = chosen();
}

export const outboundProxy = (): OutboundProxy => current ?? { kind: "none" };

function chosen(): OutboundProxy {
  const variables = proxyVariables();
  const url = variables.https_proxy ?? variables.HTTPS_PROXY;
  if (url === undefined) return { kind: "none" };
  const shown = withoutPassword(url);
  // Node has read them at its start, HTTP_PROXY as well.
  if (process.env.NODE_USE_ENV_PROXY === "1") return { kind: "used", shown };
  if (process.env.NODE_USE_ENV_PROXY === "0")
    return { kind: "ignored", shown, why: "NODE_USE_ENV_PROXY is 0" };
  if (typeof http.setGlobalProxyFromEnv !== "function")
    return { kind: "ignored", shown, why: `Node ${process.version} does not read it by itself` };
  try {
    http.setGlobalProxyFromEnv(variables);
    return { kind: "used", shown };
  } catch {
    // Not Node's own words, which quote the URL with its password.
    return { kind: "ignored", shown, why: "its value is not the URL of a proxy" };
  }
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return "a value that is not a URL";
  const { protocol, host, username, password } = new URL(url);
  return `${protocol}//${username || password ? "…@" : ""}${host}`;
}
