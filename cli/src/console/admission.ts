/** Requests of other pages, for another host, or of a kind that the console's own page never sends. */
import type { IncomingHttpHeaders } from "node:http";
import { isOwnHost } from "../loopback/own-host.ts";

export interface Incoming {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface Refusal {
  readonly status: 403 | 405 | 415;
  /** One sentence. */
  readonly reason: string;
}

export function refusalOf({ method, url = "", headers }: Incoming, port: number): Refusal | undefined {
  const { host = "", origin, upgrade } = headers;
  if (method !== "GET" && method !== "POST")
    return { status: 405, reason: "The console answers GET and POST only." };
  if (!url.startsWith("/") || upgrade !== undefined)
    return { status: 403, reason: "The console serves its page, and is no proxy." };
  // After DNS rebinding a browser sends the name of the attacker's page.
  if (!isOwnHost(host, port))
    return { status: 403, reason: `The console answers only as 127.0.0.1:${port} or localhost:${port}.` };
  // "none": typed, or opened by another program. A page on another port of 127.0.0.1 is "same-site".
  // https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
  const site = headers["sec-fetch-site"] ?? "none";
  const isOwnOrigin = origin === `http://${host}`;
  if ((site !== "none" && site !== "same-origin") || (origin !== undefined && !isOwnOrigin))
    return { status: 403, reason: "The console does not answer other pages: type its link, or paste it." };
  // A browser may load a link before the user goes there. That would use the key up.
  if (headers["sec-purpose"] !== undefined || headers.purpose !== undefined)
    return { status: 403, reason: "The console loads nothing in advance." };
  // Browsers send the origin with each POST. A form cannot send JSON.
  if (method === "POST" && !isOwnOrigin)
    return { status: 403, reason: "The console takes requests from its own page only." };
  if (method === "POST" && headers["content-type"] !== "application/json")
    return { status: 415, reason: "The console takes JSON only." };
  return undefined;
}
