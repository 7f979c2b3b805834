/** One Looker service account per scope's secret, with credentials made up anew at each start. */
import { randomBytes } from "node:crypto";
import type { ScopeDefinitions } from "../../functions/domain/scope.ts";
import type { LookerAccount } from "./accounts.ts";

export interface ServiceAccount {
  readonly secretName: string;
  readonly account: LookerAccount;
  /** As the secret holds it. */
  readonly secret: { client_id: string; client_secret: string };
}

export function serviceAccounts(scopes: ScopeDefinitions): ServiceAccount[] {
  const names = new Set(
    Object.values(scopes).flatMap(({ secret: { secretName } }) =>
      secretName === undefined ? [] : [secretName],
    ),
  );
  return [...names].map((secretName, index) => {
    // The lengths of Looker's own.
    const clientId = randomBytes(10).toString("hex");
    const clientSecret = randomBytes(12).toString("hex");
    return {
      secretName,
      account: {
        userId: String(101 + index),
        displayName: `Service account of ${secretName}`,
        credentials: [{ clientId, clientSecret }],
      },
      secret: { client_id: clientId, client_secret: clientSecret },
    };
  });
}
