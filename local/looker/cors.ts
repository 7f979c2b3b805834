/** Calls by web pages of other origins. The list of Looker's admin names the origins. */
import type { IncomingMessage } from "node:http";
import { splitTarget } from "../http-request.ts";
import { apiPathOf } from "./address.ts";
import type { LookerSettings } from "./instance.ts";

/** Login takes a client secret, which a page must not have. */
export function isAllowedOrigin(
  { corsOrigins }: LookerSettings,
  { url = "/", headers }: IncomingMessage,
): boolean {
  const isLogin = apiPathOf(splitTarget(url).rawPath)?.startsWith("/login") ?? false;
  return headers.origin !== undefined && corsOrigins.includes(headers.origin) && !isLogin;
}

/** Headers of each answer to an allowed origin. Pages send a token, and no cookie. */
export function corsHeaders(origin: string): Record<string, string> {
  return { "access-control-allow-origin": origin, vary: "Origin" };
}

/** Of the answer to a preflight request. Looker's SDK sends these three headers. */
export const PREFLIGHT_HEADERS = {
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "authorization, content-type, x-looker-appid",
};
