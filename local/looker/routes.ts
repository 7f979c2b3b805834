import { ACCOUNT_ROUTES } from "./account-routes.ts";
import { CONTENT_ROUTES } from "./content-routes.ts";
import { LOOKML_ROUTES } from "./lookml-routes.ts";
import { OAUTH_APP_ROUTES } from "./oauth-app-routes.ts";
import { PAIR_ROUTES } from "./pair-routes.ts";
import { QUERY_ROUTES } from "./query-routes.ts";
import type { Call, Route, Routes } from "./route.ts";
import { SESSION_ROUTES } from "./session-routes.ts";

/** The routes that need a token, by method and path below `/api/4.0`. Looker's OpenAPI document has the same paths. */
export const ROUTES: Routes = {
  ...SESSION_ROUTES,
  ...ACCOUNT_ROUTES,
  ...PAIR_ROUTES,
  ...OAUTH_APP_ROUTES,
  ...LOOKML_ROUTES,
  ...CONTENT_ROUTES,
  ...QUERY_ROUTES,
};

/** Fixed segments come before parameters, because `search` in `/looks/search` is not a look's id. */
const PATTERNS = Object.entries(ROUTES)
  .toSorted(([one], [other]) => parametersIn(one) - parametersIn(other))
  .map(([name, route]) => ({
    route,
    pattern: new RegExp(`^${name.replaceAll(".", "\\.").replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
  }));

/** `undefined` for an unknown route, `"malformed"` for a path with a broken escape. */
export function routeOf(
  method: string,
  path: string,
): { route: Route; parameters: Call["parameters"] } | "malformed" | undefined {
  for (const { route, pattern } of PATTERNS) {
    const match = pattern.exec(`${method} ${path}`);
    if (match === null) continue;
    try {
      const decoded = Object.entries(match.groups ?? {}).map(([name, raw]) => [
        name,
        decodeURIComponent(raw),
      ]);
      return { route, parameters: Object.fromEntries(decoded) };
    } catch {
      return "malformed";
    }
  }
  return undefined;
}

function parametersIn(name: string): number {
  return name.split("{").length;
}
