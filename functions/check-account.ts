/** Lambda: looks after the scopes' service accounts, once an hour. It asks Looker only if a check is due. */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import middy from "@middy/core";
import { clientLimits } from "./adapters/aws-client.ts";
import { lookerHttp } from "./adapters/looker-http.ts";
import { lookerUsers } from "./adapters/looker-users.ts";
import { secretsManager } from "./adapters/secrets-manager.ts";
import { systemClock } from "./adapters/system.ts";
import { environment, scopesFile } from "./contract.ts";
import { scheduledAudit } from "./http/audit.ts";
import { checkAccounts } from "./use-cases/check-account.ts";
import {
  auditOptions,
  brokerPorts,
  loadScopes,
  readFunctionConfig,
  required,
  withOwnConnections,
} from "./wiring.ts";

const config = readFunctionConfig(process.env);
const scopes = loadScopes(new URL(scopesFile, import.meta.url), required(process.env, environment.accountId));
const http = lookerHttp();
const ports = {
  ...brokerPorts(config, http),
  secrets: secretsManager(new SecretsManagerClient(clientLimits), systemClock),
  users: lookerUsers(http, 5_000),
};
/** Kept of the function's time for the last writes. */
const reserveMs = 3_000;

const records = scheduledAudit("check", auditOptions(config));

const scheduled = middy(async (event: object, context: { getRemainingTimeInMillis(): number }) => {
  const { audit, timings } = records.entryOf(event);
  const deadline = systemClock.now() + context.getRemainingTimeInMillis() - reserveMs;
  await records.follow(event, checkAccounts(timings.of(ports), { scopes, deadline, audit }));
}).use(records);

export const handler = withOwnConnections(ports, scheduled);
