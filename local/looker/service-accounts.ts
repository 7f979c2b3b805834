/** One Looker service account for each secret of the scopes, with credentials made up anew at each start. */
import { randomBytes } from "node:crypto";
import type { Scopes } from "../../functions/domain/scope.ts";
import type { LookerAccount } from "./accounts.ts";

export interface ServiceAccount {
  /** The secret's name or ARN. */
  readonly secretId: string;
  /** The Looker of the scopes with this secret. */
  readonly baseUrl: string;
  readonly account: LookerAccount;
  /** As the secret holds it. */
  readonly secret: { client_id: string; client_secret: string };
}

export function serviceAccounts(scopes: Scopes): ServiceAccount[] {
  // A secret belongs to one Looker.
  const baseUrls = new Map([...scopes.values()].map(({ secretId, baseUrl }) => [secretId, baseUrl]));
  return [...baseUrls].map(([secretId, baseUrl], index) => {
    // The lengths of Looker's own.
    const clientId = randomBytes(10).toString("hex");
    const clientSecret = randomBytes(12).toString("hex");
    return {
      secretId,
      baseUrl,
      account: {
        userId: String(101 + index),
        displayName: `Service account of ${secretId}`,
        credentials: [{ clientId, clientSecret }],
      },
      secret: { client_id: clientId, client_secret: clientSecret },
    };
  });
}
