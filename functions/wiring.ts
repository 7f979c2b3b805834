/** What the functions are wired from: configuration from the environment, the scopes file, and the adapters. */
import { readFileSync } from "node:fs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { writeLogLine } from "./adapters/audit-log.ts";
import { clientLimits } from "./adapters/aws-client.ts";
import { dynamodbSlotTable } from "./adapters/dynamodb-slot-table.ts";
import { kmsSealer } from "./adapters/kms-sealer.ts";
import { lookerApi } from "./adapters/looker-api.ts";
import { randomIds, systemClock } from "./adapters/system.ts";
import { environment } from "./contract.ts";
import { loginTimeoutMs } from "./domain/lease.ts";
import { parseScopes, type Scopes } from "./domain/scope.ts";
import type { AuditOptions } from "./http/audit.ts";
import type { OperatePorts } from "./use-cases/revoke-slots.ts";

/** @throws when a variable is missing: a function must not start half configured. */
function required(variables: NodeJS.ProcessEnv, name: string): string {
  const value = variables[name];
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** Where the rows are, and what seals the tokens in them. */
interface FunctionConfig {
  readonly tableName: string;
  readonly sealingKeyArn: string;
  readonly brokerName: string;
}

export function readFunctionConfig(variables: NodeJS.ProcessEnv): FunctionConfig {
  return {
    tableName: required(variables, environment.tableName),
    sealingKeyArn: required(variables, environment.sealingKeyArn),
    brokerName: required(variables, environment.brokerName),
  };
}

/** For functions behind API Gateway: also which API and stage are theirs. */
export function readEnvironment(
  variables: NodeJS.ProcessEnv,
): FunctionConfig & { apiId: string; apiStage: string } {
  return {
    ...readFunctionConfig(variables),
    apiId: required(variables, environment.apiId),
    apiStage: required(variables, environment.apiStage),
  };
}

/** The scopes that were compiled beside the bundle. */
export function loadScopes(url: URL): Scopes {
  return parseScopes(JSON.parse(readFileSync(url, "utf8")));
}

/** Where records go, and metrics with them. */
export function auditOptions({ brokerName }: FunctionConfig): AuditOptions {
  return { broker: brokerName, now: systemClock.now, write: writeLogLine };
}

export function brokerPorts({ tableName, sealingKeyArn }: FunctionConfig): OperatePorts {
  return {
    clock: systemClock,
    ids: randomIds,
    table: dynamodbSlotTable(new DynamoDBClient(clientLimits), tableName, systemClock),
    sealer: kmsSealer(new KMSClient(clientLimits), { keyArn: sealingKeyArn, tableName }),
    looker: lookerApi({ loginMs: loginTimeoutMs, logoutMs: 5_000, userMs: 3_000 }, systemClock),
  };
}
