/** The scopes of the local run. Synthesized like any others; only where their Looker is comes from outside. */
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { BrokerSettings } from "../infra/stack.ts";

/** Set by local/stack/synthesize.ts to the stand-in, or to what `--looker-url` named. */
const lookerUrl = process.env.LOCAL_LOOKER_URL ?? "http://127.0.0.1:4191";

const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

export const scopes = {
  sales: {
    lookerUrl,
    secret: { secretName: "looker/sales" },
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

export const settings: BrokerSettings = () => ({
  // The local administrator looks at rows, and tampers with them, as only an account's emergency role may.
  breakGlassArns: [role("administrator")],
});
