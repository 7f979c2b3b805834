/** Paths of the API, as different tools write them. */

/** looker-cli sends `POST /api//login`. */
export function foldSlashes(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}

/**
 * The path below `/api/4.0`. Undefined outside the API. Login and logout are the same without a version, or with an older one:
 * Python's SDK sends `DELETE /api/logout`.
 */
export function apiPathOf(path: string): string | undefined {
  const folded = foldSlashes(path);
  const [, session] = /^(?:\/api(?:\/[34]\.\d+)?)?(\/login|\/logout)$/.exec(folded) ?? [];
  return session ?? /^\/api\/4\.0(\/.*)$/.exec(folded)?.[1];
}
