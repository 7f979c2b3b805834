/** Which call of the API a path means, in each of the ways in which tools write it. */

/** looker-cli sends `POST /api//login`. */
export function foldSlashes(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}

/**
 * The path below `/api/4.0`, or undefined for one that Looker's API does not take. Login and logout are the same without a
 * version, or with an older one: Python's SDK logs out with `DELETE /api/logout`.
 */
export function apiPathOf(path: string): string | undefined {
  const folded = foldSlashes(path);
  const [, session] = /^(?:\/api(?:\/[34]\.\d+)?)?(\/login|\/logout)$/.exec(folded) ?? [];
  return session ?? /^\/api\/4\.0(\/.*)$/.exec(folded)?.[1];
}
