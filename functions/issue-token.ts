/** Lambda: `POST /scopes/{scope}/token` and `GET /scopes`. */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientLimits } from "./adapters/aws-client.ts";
import { secretsManager } from "./adapters/secrets-manager.ts";
import { systemClock } from "./adapters/system.ts";
import { resources, scopesFile } from "./contract.ts";
import { apiHandler } from "./http/api-handler.ts";
import { getScopes, postToken } from "./http/caller-routes.ts";
import { auditOptions, brokerPorts, loadScopes, readEnvironment, withOwnConnections } from "./wiring.ts";

const { apiId, apiStage, accountId, ...config } = readEnvironment(process.env);
const scopes = loadScopes(new URL(scopesFile, import.meta.url), accountId);
const secrets = secretsManager(new SecretsManagerClient(clientLimits), systemClock);
const ports = { ...brokerPorts(config), secrets };

const api = apiHandler({
  apiId,
  stage: apiStage,
  scopes,
  routes: {
    [`POST ${resources.token}`]: { verb: "token", lock: "callers", handle: postToken(ports) },
    [`GET ${resources.scopes}`]: { verb: "scopes", lock: "any", handle: getScopes(scopes) },
  },
  audit: auditOptions(config),
});

export const handler = withOwnConnections(ports, api);
