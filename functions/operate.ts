/** Lambda: the operator's routes. */

import { resources, scopesFile } from "./contract.ts";
import { getAccount } from "./http/account-routes.ts";
import { apiHandler } from "./http/api-handler.ts";
import { deleteDenial } from "./http/denial-routes.ts";
import { deleteFreeze, deleteLeases, getLeases, putFreeze } from "./http/operator-routes.ts";
import { auditOptions, brokerPorts, loadScopes, readEnvironment, withOwnConnections } from "./wiring.ts";

const { apiId, apiStage, accountId, ...config } = readEnvironment(process.env);
const ports = brokerPorts(config);
const scopes = loadScopes(new URL(scopesFile, import.meta.url), accountId);

const api = apiHandler({
  apiId,
  stage: apiStage,
  scopes,
  routes: {
    [`GET ${resources.leases}`]: { verb: "list", lock: "operators", handle: getLeases(ports) },
    [`DELETE ${resources.leases}`]: {
      verb: "revoke",
      lock: "operators",
      handle: deleteLeases(ports, scopes),
    },
    [`GET ${resources.account}`]: { verb: "account", lock: "operators", handle: getAccount(ports) },
    [`PUT ${resources.freeze}`]: { verb: "freeze", lock: "operators", handle: putFreeze(ports) },
    [`DELETE ${resources.freeze}`]: { verb: "unfreeze", lock: "operators", handle: deleteFreeze(ports) },
    [`DELETE ${resources.denial}`]: { verb: "allow", lock: "operators", handle: deleteDenial(ports, scopes) },
  },
  audit: auditOptions(config),
});

export const handler = withOwnConnections(ports, api);
