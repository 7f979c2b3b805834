/** The table's default engine: dynalite in this process. Another one is set by AWS_ENDPOINT_URL_DYNAMODB. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  type TimeToLiveSpecification,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { AbstractValueIterator } from "abstract-level";
import dynalite from "dynalite";
import { listen } from "../loopback.ts";
import { ignoring } from "./ignoring.ts";

export interface RunningEngine {
  url: string;
  close(): Promise<void>;
}

/**
 * dynalite 4.0.0 ends the iterator of a Query or Scan by `return`, which abstract-level's iterators do not have. So each Query
 * kept the whole table as it was then, for good.
 */
Object.assign(AbstractValueIterator.prototype, { return: AbstractValueIterator.prototype.close });

export async function startDynalite(): Promise<RunningEngine> {
  // A row's key and value would be small parts of Node's shared buffers, and each row would keep two of 64 KB.
  Buffer.poolSize = 0;
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // The AWS proxy closes idle connections. If the server did so too, a request could be cut off.
  server.keepAliveTimeout = 0;
  return {
    ...(await listen(server)),
    // Requests under way are not cut off: dynalite would end the process.
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
    },
  };
}

/** The pauses double up to this one, and make sixteen seconds in all. */
const MAX_PAUSE_MS = 8_192;

export interface TableDefinition extends CreateTableCommandInput {
  TableName: string;
  TimeToLiveSpecification?: TimeToLiveSpecification;
}

/** Creates a missing table and switches its TTL on. An existing table is not changed otherwise. */
export async function ensureTable(client: DynamoDBClient, definition: TableDefinition): Promise<void> {
  const { TimeToLiveSpecification, ...creation } = definition;
  const { TableName } = definition;
  if ((await statusOf(client, TableName)) === undefined) {
    // ResourceInUse: another process that uses the same engine was faster.
    await client.send(new CreateTableCommand(creation)).catch(ignoring("ResourceInUseException"));
  }
  for (let pause = 1; (await statusOf(client, TableName)) !== "ACTIVE"; pause *= 2) {
    if (pause > MAX_PAUSE_MS) throw new Error(`The table ${TableName} does not become ACTIVE.`);
    await sleep(pause);
  }
  if (TimeToLiveSpecification) {
    await client
      .send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
      .catch((error: Error) => {
        // dynalite does not know TTL, and the others refuse to switch it on twice.
        if (error.name !== "UnknownOperationException" && !/already enabled/.test(error.message)) throw error;
      });
  }
}

async function statusOf(client: DynamoDBClient, TableName: string): Promise<string | undefined> {
  const described = await client
    .send(new DescribeTableCommand({ TableName }))
    .catch(ignoring("ResourceNotFoundException"));
  return described?.Table?.TableStatus;
}
