/** The scopes of the local run. The secret of `sales` rotates, and an administrator manages its pairs. */
import { scopes as local } from "../../local/scopes.ts";

export const scopes = {
  ...local,
  sales: {
    ...local.sales,
    secret: {
      secretName: "looker/sales",
      rotation: { everyDays: 30, administrator: { secretName: "looker/rotator" } },
    },
  },
} as const;
