/** Lambda: `POST /scopes/{scope}/logout`. */

import { resources, scopesFile } from "./contract.ts";
import { apiHandler } from "./http/api-handler.ts";
import { postLogout } from "./http/caller-routes.ts";
import { auditOptions, brokerPorts, loadScopes, readEnvironment, withOwnConnections } from "./wiring.ts";

const { apiId, apiStage, accountId, ...config } = readEnvironment(process.env);
const ports = brokerPorts(config);

const api = apiHandler({
  apiId,
  stage: apiStage,
  scopes: loadScopes(new URL(scopesFile, import.meta.url), accountId),
  routes: {
    [`POST ${resources.logout}`]: { verb: "logout", lock: "callers", handle: postLogout(ports) },
  },
  audit: auditOptions(config),
});

export const handler = withOwnConnections(ports, api);
