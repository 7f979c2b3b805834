/** `finance` and `support` share a secret. One operator has both, the other one only `support`. */
import { scopes as local } from "../../../local/scopes.ts";

const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

export const scopes = {
  ...local,
  support: {
    ...local.finance,
    callers: [role("support-service")],
    operators: [role("platform-engineer"), role("support-lead")],
  },
} as const;
