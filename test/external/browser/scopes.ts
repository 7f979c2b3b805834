/** The scopes of the console's test: three, for more callers than the local run has. */
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";

const lookerUrl = "https://example.cloud.looker.com";
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const operators = [role("platform-engineer")];

export const scopes = {
  sales: {
    lookerUrl,
    secret: { secretName: "looker/sales" },
    callers: [role("report-service"), role("nightly-job"), role("forecast")],
    operators,
    leaseSeconds: 900,
    account: { permissions: ["access_data", "see_looks"], models: ["sales"] },
  },
  marketing: {
    lookerUrl,
    secret: { secretName: "looker/marketing" },
    callers: [role("campaign-mailer"), role("report-service")],
    operators,
    leaseSeconds: 3600,
  },
  finance: {
    lookerUrl,
    secret: { secretName: "looker/finance" },
    callers: [role("finance-service")],
    operators,
    leaseSeconds: 300,
  },
} satisfies ScopeDefinitions;
