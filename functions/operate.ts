/** Lambda: the operator's routes. */

import { resources, scopesFile } from "./contract.ts";
import { getAccount } from "./http/account-routes.ts";
import { apiHandler } from "./http/api-handler.ts";
import { deleteFreeze, deleteLeases, getLeases, putFreeze } from "./http/operator-routes.ts";
import { auditOptions, brokerPorts, loadScopes, readEnvironment, withOwnConnections } from "./wiring.ts";

const { apiId, apiStage, accountId, ...config } = readEnvironment(process.env);
const ports = brokerPorts(config);

const api = apiHandler({
  apiId,
  stage: apiStage,
  scopes: loadScopes(new URL(scopesFile, import.meta.url), accountId),
  routes: {
    [`GET ${resources.leases}`]: { verb: "list", lock: "operators", handle: getLeases(ports) },
    [`DELETE ${resources.leases}`]: { verb: "revoke", lock: "operators", handle: deleteLeases(ports) },
    [`GET ${resources.account}`]: { verb: "account", lock: "operators", handle: getAccount(ports) },
    [`PUT ${resources.freeze}`]: { verb: "freeze", lock: "operators", handle: putFreeze(ports) },
    [`DELETE ${resources.freeze}`]: { verb: "unfreeze", lock: "operators", handle: deleteFreeze(ports) },
  },
  audit: auditOptions(config),
});

export const handler = withOwnConnections(ports, api);
