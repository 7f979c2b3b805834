/** A scope whose secret rotates with an administrator's, and one whose secret rotates by its own account. */
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";

const lookerUrl = "https://example.cloud.looker.com";
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const operators = [role("platform-engineer")];

const named = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${String(index + 1).padStart(2, "0")}`);
/** With three processes each they are more than a hundred callers. */
export const services = named("service", 34);
/** Each run of a job is a login at Looker. */
export const jobs = named("job", 4);

export const scopes = {
  sales: {
    lookerUrl,
    secret: {
      secretName: "looker/sales",
      rotation: { everyDays: 30, administrator: { secretName: "looker/rotator" } },
    },
    callers: [...services, ...jobs].map(role),
    operators,
    mintsPerTenMinutes: 60,
  },
  finance: {
    lookerUrl,
    secret: { secretName: "looker/finance", rotation: { everyDays: 30 } },
    callers: [role("finance-service")],
    operators,
  },
} satisfies ScopeDefinitions;
