/**
 * Lambda: the steps of Secrets Manager's rotation, and, on a schedule, the retirement of old pairs.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_managed.html
 */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import middy from "@middy/core";
import { clientLimits } from "./adapters/aws-client.ts";
import { lookerPairs } from "./adapters/looker-credentials.ts";
import { lookerHttp } from "./adapters/looker-http.ts";
import { lookerUsers } from "./adapters/looker-users.ts";
import { secretVersions } from "./adapters/secret-versions.ts";
import { systemClock } from "./adapters/system.ts";
import { environment, scopesFile } from "./contract.ts";
import { scheduledAudit } from "./http/audit.ts";
import { type RotationInvocation, readRotationEvent, unqualifiedArn } from "./http/rotation-event.ts";
import { retirePairs } from "./use-cases/retire-pairs.ts";
import { rotateSecret } from "./use-cases/rotate-secret.ts";
import { rotatingSecrets } from "./use-cases/rotation-job.ts";
import { askTimeoutMs } from "./use-cases/rotation-login.ts";
import { invocationEndsMs } from "./use-cases/rotation-state.ts";
import {
  auditOptions,
  loadScopes,
  readTableConfig,
  required,
  tablePorts,
  withOwnConnections,
} from "./wiring.ts";

const config = readTableConfig(process.env);
const accountId = required(process.env, environment.accountId);
const secrets = rotatingSecrets(loadScopes(new URL(scopesFile, import.meta.url), accountId).values());
const http = lookerHttp();
const ports = {
  ...tablePorts(config, http),
  users: lookerUsers(http, askTimeoutMs),
  pairs: lookerPairs(http, askTimeoutMs),
  versions: secretVersions(new SecretsManagerClient(clientLimits)),
};
const records = scheduledAudit("retire", auditOptions(config));

const invoked = middy(async (event: object, context: RotationInvocation) => {
  const entry = records.entryOf(event);
  const { audit, timings } = entry;
  const deadline = systemClock.now() + context.getRemainingTimeInMillis() - invocationEndsMs;
  const request = readRotationEvent(event);
  const watched = timings.of(ports);
  if (!request)
    return await records.follow(event, retirePairs(watched, { secrets: secrets.values(), deadline, audit }));
  entry.verb = "rotate";
  const functionArn = unqualifiedArn(context.invokedFunctionArn);
  const job = { broker: config.brokerName, functionArn, secrets, deadline, audit };
  await records.follow(event, rotateSecret(watched, request, job));
}).use(records);

export const handler = withOwnConnections(ports, invoked);
