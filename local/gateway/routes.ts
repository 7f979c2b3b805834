/** Finds the resource of a path by the segments of the path, as sent. */
import type { LocalRoute } from "../stack/routes.ts";

export interface RouteMatch {
  route: LocalRoute;
  pathParameters: Record<string, string> | null;
}

/**
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
 * `{name}` takes exactly one segment that is not empty. Nothing is decoded, so `%2f` stays in one segment, and `.` and
 * `..` are names like any other. A literal segment goes before a variable one. A trailing slash and leading ones make no
 * difference to the resource (captures of AWS, see README.md).
 */
export function matchRoute(
  routes: readonly LocalRoute[],
  method: string,
  path: string,
): RouteMatch | undefined {
  const segments = segmentsOf(path);
  const candidates = routes
    .filter((route) => route.method === method || route.method === "ANY")
    .filter((route) => fits(segmentsOf(route.resource), segments))
    .sort((a, b) => specificity(b).localeCompare(specificity(a)));
  const [route] = candidates;
  if (!route) return undefined;
  const parameters = segmentsOf(route.resource).flatMap((part, index): [string, string][] => {
    const name = variableName(part);
    return name === undefined ? [] : [[name, segments[index] ?? ""]];
  });
  return { route, pathParameters: parameters.length === 0 ? null : Object.fromEntries(parameters) };
}

/** At the start, since a request would only meet a 403 that nobody understands. */
export function checkRoutes(routes: readonly LocalRoute[]): void {
  const greedy = routes.find(({ resource }) => resource.includes("+}"));
  if (greedy) throw new Error(`${greedy.resource}: greedy path variables are not supported here`);
}

function segmentsOf(path: string): string[] {
  return path.replace(/^\/+/, "").replace(/\/$/, "").split("/");
}

function fits(parts: readonly string[], segments: readonly string[]): boolean {
  return (
    parts.length === segments.length &&
    parts.every((part, index) =>
      variableName(part) === undefined ? part === segments[index] : segments[index] !== "",
    )
  );
}

/** Sorts literal segments before variables, from the left; a named method before `ANY`. */
function specificity({ resource, method }: LocalRoute): string {
  const parts = segmentsOf(resource).map((part) => (variableName(part) === undefined ? "1" : "0"));
  return `${parts.join("")}${method === "ANY" ? "0" : "1"}`;
}

const variableName = (part: string) => /^\{([^}]+)\}$/.exec(part)?.[1];
