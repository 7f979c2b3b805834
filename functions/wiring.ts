/** The wiring of the functions: configuration from the environment, the scopes file, and the adapters. */
import { readFileSync } from "node:fs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { writeLogLine } from "./adapters/audit-log.ts";
import { clientLimits } from "./adapters/aws-client.ts";
import { dynamodbSlotTable } from "./adapters/dynamodb-slot-table.ts";
import { kmsSealer } from "./adapters/kms-sealer.ts";
import { type LookerApi, lookerApi } from "./adapters/looker-api.ts";
import { type LookerHttp, lookerHttp } from "./adapters/looker-http.ts";
import { randomIds, systemClock } from "./adapters/system.ts";
import { environment } from "./contract.ts";
import { loginTimeoutMs } from "./domain/lease.ts";
import { parseScopes, type Scopes, ScopesError } from "./domain/scope.ts";
import type { AuditOptions } from "./http/audit.ts";
import type { OperatePorts } from "./use-cases/revoke-slots.ts";

/** @throws when a variable is missing: a function must not start half configured. */
export function required(variables: NodeJS.ProcessEnv, name: string): string {
  const value = variables[name];
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** Where the rows are, and what seals the tokens in them. */
interface TableConfig {
  readonly tableName: string;
  readonly brokerName: string;
}

interface FunctionConfig extends TableConfig {
  readonly sealingKeyArn: string;
}

/** For a function that opens no token. */
export function readTableConfig(variables: NodeJS.ProcessEnv): TableConfig {
  return {
    tableName: required(variables, environment.tableName),
    brokerName: required(variables, environment.brokerName),
  };
}

export function readFunctionConfig(variables: NodeJS.ProcessEnv): FunctionConfig {
  return {
    ...readTableConfig(variables),
    sealingKeyArn: required(variables, environment.sealingKeyArn),
  };
}

/** For functions behind API Gateway: also which API and stage are theirs. */
export function readEnvironment(
  variables: NodeJS.ProcessEnv,
): FunctionConfig & { apiId: string; apiStage: string; accountId: string } {
  return {
    ...readFunctionConfig(variables),
    apiId: required(variables, environment.apiId),
    apiStage: required(variables, environment.apiStage),
    accountId: required(variables, environment.accountId),
  };
}

/**
 * The scopes that were compiled beside the bundle.
 * @throws {ScopesError} also where a secret of the own account goes by its ARN: what is known of it is kept under its name, and
 * in a stack without an account synthesis cannot tell (infra/canonical-secrets.ts).
 */
export function loadScopes(url: URL, accountId: string): Scopes {
  const scopes = parseScopes(JSON.parse(readFileSync(url, "utf8")));
  const errors = [...scopes.values()].flatMap(({ name, secretId, rotation }) => {
    const named = { secret: secretId, "secret.rotation.administrator": rotation?.administratorId };
    return Object.entries(named)
      .filter(([, id]) => id?.split(":")[4] === accountId)
      .map(
        ([field]) =>
          `scope ${JSON.stringify(name)}: ${field}.secretArn: is of the broker's own account: use secretName, or give the stack an account`,
      );
  });
  if (errors.length > 0) throw new ScopesError(errors);
  return scopes;
}

/** Where records go, and metrics with them. */
export function auditOptions({ brokerName }: Pick<TableConfig, "brokerName">): AuditOptions {
  return { broker: brokerName, now: systemClock.now, write: writeLogLine };
}

/** @param http its connections, shared with other adapters for Looker */
export function brokerPorts(
  config: FunctionConfig,
  http = lookerHttp(),
): OperatePorts & { looker: LookerApi } {
  const { tableName, sealingKeyArn } = config;
  const sealer = kmsSealer(new KMSClient(clientLimits), { keyArn: sealingKeyArn, tableName });
  return { ...tablePorts(config, http), sealer };
}

/** The same without the sealing key. */
export function tablePorts({ tableName }: TableConfig, http: LookerHttp) {
  return {
    clock: systemClock,
    ids: randomIds,
    table: dynamodbSlotTable(new DynamoDBClient(clientLimits), tableName, systemClock),
    looker: lookerApi({ loginMs: loginTimeoutMs, logoutMs: 5_000, userMs: 3_000 }, systemClock, http),
  };
}

/** A connection to Looker is never older than the invocation that uses it. */
export function withOwnConnections<Invocation extends unknown[], Result>(
  { looker }: { readonly looker: Pick<LookerApi, "disconnect"> },
  handler: (...invocation: Invocation) => Promise<Result>,
): (...invocation: Invocation) => Promise<Result> {
  return async (...invocation) => {
    // An invocation before may have been answered for while it was still at work.
    looker.disconnect();
    try {
      return await handler(...invocation);
    } finally {
      looker.disconnect();
    }
  };
}
