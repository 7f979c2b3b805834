/** The table's default engine: dynalite in this process. Another one is set by AWS_ENDPOINT_URL_DYNAMODB. */
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  type TimeToLiveSpecification,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { ENGINE_CREDENTIAL } from "./engine.ts";

export interface RunningEngine {
  url: string;
  close(): Promise<void>;
}

export async function startDynalite(): Promise<RunningEngine> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // The AWS proxy lets go of idle connections first; a server that does it too can cut a request off.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
    },
  };
}

/** The pauses double up to this: sixteen seconds in all. */
const MAX_PAUSE_MS = 8_192;

export interface TableDefinition extends CreateTableCommandInput {
  TableName: string;
  TimeToLiveSpecification?: TimeToLiveSpecification;
}

/** Creates what is missing and changes nothing else. An engine's URL is called with the AWS proxy's own credential. */
export async function ensureTable(
  target: DynamoDBClient | { url: string; region: string },
  definition: TableDefinition,
): Promise<void> {
  if (!(target instanceof DynamoDBClient)) {
    const { url, region } = target;
    const client = new DynamoDBClient({ endpoint: url, region, credentials: ENGINE_CREDENTIAL });
    try {
      return await ensureTable(client, definition);
    } finally {
      client.destroy();
    }
  }
  const { TimeToLiveSpecification, ...creation } = definition;
  const { TableName } = definition;
  if ((await statusOf(target, TableName)) === undefined) {
    // ResourceInUse: another process that uses the same engine was faster.
    await target.send(new CreateTableCommand(creation)).catch(unless("ResourceInUseException"));
  }
  for (let pause = 1; (await statusOf(target, TableName)) !== "ACTIVE"; pause *= 2) {
    if (pause > MAX_PAUSE_MS) throw new Error(`The table ${TableName} does not become ACTIVE.`);
    await sleep(pause);
  }
  if (TimeToLiveSpecification) {
    await target
      .send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
      .catch((error: Error) => {
        // dynalite knows no TTL; the others refuse to switch on what is on.
        if (error.name !== "UnknownOperationException" && !/already enabled/.test(error.message)) throw error;
      });
  }
}

async function statusOf(client: DynamoDBClient, TableName: string): Promise<string | undefined> {
  const described = await client
    .send(new DescribeTableCommand({ TableName }))
    .catch(unless("ResourceNotFoundException"));
  return described?.Table?.TableStatus;
}

function unless(...names: string[]) {
  return (error: unknown): undefined => {
    if (!(error instanceof Error) || !names.includes(error.name)) throw error;
  };
}
