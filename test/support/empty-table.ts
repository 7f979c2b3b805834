/** Between tests: nobody has a lease, and nobody's mint budget is spent. */
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  paginateScan,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { RunningBroker } from "../../local/broker.ts";

/** Behind the AWS proxy, as nobody could in AWS. */
export async function emptyTable({ engines, region, tableName }: RunningBroker): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: engines.urls.dynamodb,
    region,
    credentials: ENGINE_CREDENTIAL,
  });
  try {
    const rows: WriteRequest[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName }))
      for (const { pk, sk } of Items) if (pk && sk) rows.push({ DeleteRequest: { Key: { pk, sk } } });
    // At most 25 a call; the tests have fewer rows.
    if (rows.length > 0)
      await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: rows } }));
  } finally {
    client.destroy();
  }
}
