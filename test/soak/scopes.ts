/** Twenty services of two scopes, with leases as short as they may be: a soak of minutes sees many renewals. */
import type { ScopeDefinitions } from "../../functions/domain/scope.ts";

const lookerUrl = "https://example.cloud.looker.com";
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const services = (scope: string) =>
  Array.from({ length: 10 }, (_, index) => role(`${scope}-service-${index}`));

const shared = {
  lookerUrl,
  operators: [role("platform-engineer")],
  leaseSeconds: 120,
  // Revocations and freezes come more often than in a company, and each is followed by a login.
  mintsPerTenMinutes: 60,
  sessionMintsPerTenMinutes: 600,
};

export const scopes = {
  sales: { ...shared, secret: { secretName: "looker/sales" }, callers: services("sales") },
  finance: { ...shared, secret: { secretName: "looker/finance" }, callers: services("finance") },
} satisfies ScopeDefinitions;
