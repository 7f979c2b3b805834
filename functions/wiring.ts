/** What the functions are wired from: configuration from the environment, the scopes file, and the adapters. */
import { readFileSync } from "node:fs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { clientLimits } from "./adapters/aws-client.ts";
import { dynamodbSlotTable } from "./adapters/dynamodb-slot-table.ts";
import { kmsSealer } from "./adapters/kms-sealer.ts";
import { lookerApi } from "./adapters/looker-api.ts";
import { randomIds, systemClock } from "./adapters/system.ts";
import type { LogOutPorts } from "./core/log-out.ts";
import { loginTimeoutMs } from "./core/mint.ts";
import { parseScopes, type Scopes } from "./core/scope.ts";
import { environment } from "./names.ts";

/** @throws when a variable is missing: the function must not start half configured. */
export function readEnvironment(variables: NodeJS.ProcessEnv): Record<keyof typeof environment, string> {
  const values = Object.entries(environment).map(([key, name]) => {
    const value = variables[name];
    if (!value) throw new Error(`the environment variable ${name} is not set`);
    return [key, value];
  });
  return Object.fromEntries(values);
}

/** The scopes that were compiled beside the bundle. */
export function loadScopes(url: URL): Scopes {
  return parseScopes(JSON.parse(readFileSync(url, "utf8")));
}

export function brokerPorts({
  tableName,
  sealingKeyArn,
}: {
  tableName: string;
  sealingKeyArn: string;
}): LogOutPorts {
  return {
    clock: systemClock,
    ids: randomIds,
    table: dynamodbSlotTable(new DynamoDBClient(clientLimits), tableName, systemClock),
    sealer: kmsSealer(new KMSClient(clientLimits), { keyArn: sealingKeyArn, tableName }),
    looker: lookerApi({ loginMs: loginTimeoutMs, logoutMs: 5_000, userMs: 3_000 }, systemClock),
  };
}
