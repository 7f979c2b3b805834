/** The scopes of the local run. `sales` also says which rights its account should have. */
import { scopes as local } from "../../../local/scopes.ts";

export const scopes = {
  ...local,
  sales: {
    ...local.sales,
    account: {
      permissions: ["access_data", "see_lookml_dashboards", "see_looks"],
      models: ["sales"],
      accept: ["may_manage_credentials"],
    },
  },
} as const;
