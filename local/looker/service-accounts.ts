/**
 * One Looker service account for each secret of the scopes, and an admin for each administrator's secret, with credentials made
 * up anew at each start.
 */
import type { Scopes } from "../../functions/domain/scope.ts";
import type { AccountRights, LookerAccount } from "./accounts.ts";
import { randomClient } from "./pairs.ts";

export interface ServiceAccount {
  /** The secret's name or ARN. */
  readonly secretId: string;
  /** The Looker of the scopes with this secret. */
  readonly baseUrl: string;
  readonly account: LookerAccount;
  /** As the secret holds it. */
  readonly secret: { client_id: string; client_secret: string };
}

/** Accounts of local/scopes.ts that have less than the stand-in's usual service account. */
const minimal: Readonly<Record<string, AccountRights>> = {
  "looker/finance": {
    roles: [
      {
        name: "Finance reader",
        permissions: ["access_data", "see_looks", "see_user_dashboards"],
        models: ["finance"],
      },
    ],
  },
};

export function serviceAccounts(scopes: Scopes): ServiceAccount[] {
  const all = [...scopes.values()];
  // A secret belongs to one Looker.
  const baseUrls = new Map(all.map(({ secretId, baseUrl }) => [secretId, baseUrl]));
  const administrators = new Map(
    all.flatMap(({ rotation, baseUrl }) =>
      rotation?.administratorId === undefined ? [] : [[rotation.administratorId, baseUrl]],
    ),
  );
  return [
    ...[...baseUrls].map(([secretId, baseUrl], index) =>
      serviceAccount(secretId, baseUrl, {
        userId: String(101 + index),
        displayName: `Service account of ${secretId}`,
        ...minimal[secretId],
      }),
    ),
    ...[...administrators].map(([secretId, baseUrl], index) =>
      serviceAccount(secretId, baseUrl, {
        userId: String(1 + index),
        displayName: `Administrator of ${secretId}`,
        admin: true,
      }),
    ),
  ];
}

function serviceAccount(
  secretId: string,
  baseUrl: string,
  account: Omit<LookerAccount, "credentials">,
): ServiceAccount {
  const pair = randomClient();
  return {
    secretId,
    baseUrl,
    account: { ...account, credentials: [pair] },
    secret: { client_id: pair.clientId, client_secret: pair.clientSecret },
  };
}
