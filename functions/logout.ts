/** Lambda: `POST /scopes/{scope}/logout`. */

import { resources, scopesFile } from "./contract.ts";
import { apiHandler } from "./http/api-handler.ts";
import { postLogout } from "./http/caller-routes.ts";
import { auditOptions, brokerPorts, loadScopes, readEnvironment } from "./wiring.ts";

const { apiId, apiStage, ...config } = readEnvironment(process.env);

export const handler = apiHandler({
  apiId,
  stage: apiStage,
  scopes: loadScopes(new URL(scopesFile, import.meta.url)),
  routes: {
    [`POST ${resources.logout}`]: {
      verb: "logout",
      lock: "callers",
      handle: postLogout(brokerPorts(config)),
    },
  },
  audit: auditOptions(config),
});
