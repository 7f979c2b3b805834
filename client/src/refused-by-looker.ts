/** Looker does not take the token: as a Response, as an answer of Looker's SDK, or as an HTTP library's error. */
export function refusedByLooker(outcome: unknown): boolean {
  if (typeof outcome !== "object" || outcome === null) return false;
  const { status, statusCode, response } = outcome as Record<string, unknown>;
  return status === 401 || statusCode === 401 || (outcome instanceof Error && refusedByLooker(response));
}

/** An answer that nobody will read holds its connection until it is collected. */
export async function discard(outcome: unknown): Promise<void> {
  if (outcome instanceof Response) await outcome.body?.cancel().catch(() => {});
}
