/** The scopes of the local run. They are run as any other file is, by local/rehearsal.ts. */
import type { ScopeDefinitions } from "../functions/domain/scope.ts";

const lookerUrl = "https://example.cloud.looker.com";
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

export const scopes = {
  sales: {
    lookerUrl,
    secret: {
      secretName: "looker/sales",
      rotation: { everyDays: 30, administrator: { secretName: "looker/rotator" } },
    },
    callers: [role("report-service"), role("nightly-job")],
    operators: [role("platform-engineer")],
    leaseSeconds: 900,
  },
  finance: {
    lookerUrl,
    secret: { secretName: "looker/finance" },
    callers: [role("finance-service")],
    operators: [role("platform-engineer")],
    leaseSeconds: 300,
  },
} satisfies ScopeDefinitions;
