/** Requests of web pages, for another host, or for a connection of another kind. Tools send none of them. */
import type { IncomingHttpHeaders } from "node:http";
import { isOwnHost } from "../loopback/own-host.ts";

export interface Incoming {
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** @returns the reason to refuse it, in one sentence, or undefined. */
export function refusalOf({ url = "", headers }: Incoming, port: number): string | undefined {
  // RFC 9112 §3.2.2 is the form for a proxy to any host. This proxy leads to Looker.
  if (!url.startsWith("/")) return "This proxy leads to Looker only: send a path, not a whole URL.";
  // After DNS rebinding a browser sends the page's own name.
  if (!isOwnHost(headers.host ?? "", port))
    return `This proxy answers only as 127.0.0.1:${port} or localhost:${port}.`;
  // https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site: programs send neither.
  if (headers.origin !== undefined || (headers["sec-fetch-site"] ?? "none") !== "none")
    return "This proxy does not answer web pages.";
  // Some HTTP clients offer `h2c` with each request. A server may ignore the offer (RFC 9110 §7.8).
  if (headers.upgrade !== undefined && !/^h2c$/i.test(headers.upgrade))
    return "This proxy upgrades no connection.";
  return undefined;
}
