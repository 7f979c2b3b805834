/** The DynamoDB adapter over a table of its own in some engine, made as the infrastructure makes it. */
import { randomUUID } from "node:crypto";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { dynamodbSlotTable } from "../../../functions/adapters/dynamodb-slot-table.ts";
import { table as names } from "../../../functions/contract.ts";
import type { BrokerTable, Clock } from "../../../functions/use-cases/ports.ts";
import { ensureTable } from "../../../local/aws/dynamodb.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import type { TableUnderTest } from "./table-under-test.ts";

export interface DynamodbTableUnderTest extends TableUnderTest {
  readonly table: BrokerTable;
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

export async function dynamodbTable(
  url: string,
  clock: Clock,
  { maxAttempts = 1 } = {},
): Promise<DynamodbTableUnderTest> {
  const region = "eu-central-1";
  const settings = { endpoint: url, region, credentials: ENGINE_CREDENTIAL };
  const client = new DynamoDBClient({ ...settings, maxAttempts });
  const direct = new DynamoDBClient(settings);
  const tableName = `leases-${randomUUID()}`;
  const { partitionKey, sortKey, dueIndex, ttl } = names;
  await ensureTable(direct, {
    TableName: tableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: partitionKey, AttributeType: "S" },
      { AttributeName: sortKey, AttributeType: "S" },
      { AttributeName: dueIndex.partitionKey, AttributeType: "S" },
      { AttributeName: dueIndex.sortKey, AttributeType: "N" },
    ],
    KeySchema: [
      { AttributeName: partitionKey, KeyType: "HASH" },
      { AttributeName: sortKey, KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: dueIndex.name,
        KeySchema: [
          { AttributeName: dueIndex.partitionKey, KeyType: "HASH" },
          { AttributeName: dueIndex.sortKey, KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
    TimeToLiveSpecification: { AttributeName: ttl, Enabled: true },
  });
  let calls = 0;
  client.middlewareStack.add(
    (next) => (args) => {
      calls++;
      return next(args);
    },
    { step: "deserialize", priority: "low" },
  );
  return {
    client,
    tableName,
    table: dynamodbSlotTable(client, tableName, clock),
    async get(key) {
      const command = new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true });
      const { Item } = await direct.send(command);
      return Item && unmarshall(Item);
    },
    async put(item) {
      const Item = marshall(item, { removeUndefinedValues: true });
      await direct.send(new PutItemCommand({ TableName: tableName, Item }));
    },
    calls: () => calls,
    async close() {
      client.destroy();
      direct.destroy();
    },
  };
}
