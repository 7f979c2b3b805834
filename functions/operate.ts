/** Lambda: the operator's routes. */

import { resources, scopesFile } from "./contract.ts";
import { apiHandler } from "./http/api-handler.ts";
import { deleteFreeze, deleteLeases, getLeases, putFreeze } from "./http/operator-routes.ts";
import { auditOptions, brokerPorts, loadScopes, readEnvironment } from "./wiring.ts";

const { apiId, apiStage, ...config } = readEnvironment(process.env);
const ports = brokerPorts(config);

export const handler = apiHandler({
  apiId,
  stage: apiStage,
  scopes: loadScopes(new URL(scopesFile, import.meta.url)),
  routes: {
    [`GET ${resources.leases}`]: { verb: "list", lock: "operators", handle: getLeases(ports) },
    [`DELETE ${resources.leases}`]: { verb: "revoke", lock: "operators", handle: deleteLeases(ports) },
    [`PUT ${resources.freeze}`]: { verb: "freeze", lock: "operators", handle: putFreeze(ports) },
    [`DELETE ${resources.freeze}`]: { verb: "unfreeze", lock: "operators", handle: deleteFreeze(ports) },
  },
  audit: auditOptions(config),
});
