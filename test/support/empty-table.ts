/** Between tests: nobody has a lease, and nobody's mint budget is spent. */
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  paginateScan,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { RunningBroker } from "../../local/broker.ts";

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const mostRowsPerCall = 25;

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
    while (rows.length > 0)
      await client.send(
        new BatchWriteItemCommand({ RequestItems: { [tableName]: rows.splice(0, mostRowsPerCall) } }),
      );
  } finally {
    client.destroy();
  }
}
