/** One scope that takes many callers, with the longest lease: an hour of requests with few logins. */
import type { ScopeDefinitions } from "../../functions/domain/scope.ts";

export const scopes = {
  sales: {
    lookerUrl: "https://example.cloud.looker.com",
    secret: { secretName: "looker/sales" },
    callers: ["arn:aws:iam::111122223333:role/service-*"],
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
    leaseSeconds: 3600,
  },
} satisfies ScopeDefinitions;
