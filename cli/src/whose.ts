/** The lease of a token, by the hash of the token. */
import type { Broker } from "./broker.ts";
import type { Ending } from "./end-leases.ts";
import type { ListedLease } from "./listing.ts";

export async function leasesOfToken(
  broker: Broker,
  scope: string,
  tokenSha256: string,
): Promise<readonly ListedLease[]> {
  const { leases }: { leases: readonly ListedLease[] } = await broker.ask({
    method: "GET",
    path: `/scopes/${scope}/leases`,
    query: { token_sha256: tokenSha256 },
  });
  return leases;
}

/** Ends it by the hash, and follows it by its id: a list shows no hashes. */
export function endingOfToken(
  broker: Broker,
  { scope, lease, tokenSha256 }: { scope: string; lease: ListedLease; tokenSha256: string },
): Ending {
  return {
    ...{ broker, scopes: [scope], before: new Map([[scope, [lease]]]) },
    filter: { lease_id: lease.lease_id ?? "" },
    begin: (_, signal) =>
      broker.askOnce({
        method: "DELETE",
        path: `/scopes/${scope}/leases`,
        query: { token_sha256: tokenSha256 },
        signal,
      }),
    settle: async () => ({}),
  };
}
