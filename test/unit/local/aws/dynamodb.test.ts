import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureTable } from "../../../../local/aws/dynamodb.ts";
import { errorOf, type Stand, startStand, TABLE } from "../../../support/aws-stand.ts";

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

it("a table is created once and keeps its rows", async () => {
  const client = stand.dynamodbClient();
  const Item = { pk: { S: "kept" }, text: { S: "Überraschung" } };
  await client.send(new PutItemCommand({ TableName: "leases", Item }));
  await Promise.all([ensureTable(client, TABLE), ensureTable(client, TABLE)]);
  const found = await client.send(new GetItemCommand({ TableName: "leases", Key: { pk: { S: "kept" } } }));
  expect(found.Item).toEqual(Item);
});

it("a table is there for everyone as soon as it is ensured, also when two do it at once", async () => {
  const client = stand.dynamodbClient();
  const definition = { ...TABLE, TableName: "fresh" };
  await Promise.all([ensureTable(client, definition), ensureTable(client, definition)]);
  const { Table } = await client.send(new DescribeTableCommand({ TableName: "fresh" }));
  expect(Table?.TableStatus).toBe("ACTIVE");
});

it("a definition refused by the engine is an error, not a wait", async () => {
  const error = await errorOf(ensureTable(stand.dynamodbClient(), { ...TABLE, TableName: "x" }));
  expect(error.name).toBe("ValidationException");
});

it("an answer of megabytes comes through whole, with the engine's own checksum", async () => {
  const client = stand.dynamodbClient();
  const Item = { pk: { S: "large" }, text: { S: "ä".repeat(190_000) } };
  await client.send(new PutItemCommand({ TableName: "leases", Item }));
  const found = await client.send(new GetItemCommand({ TableName: "leases", Key: { pk: { S: "large" } } }));
  expect(found.Item).toEqual(Item);
  expect(found.$metadata.requestId).toMatch(/^[A-Z0-9=]{52}$/);
});

const TableName = "leases";
const ofRow = {
  TableName,
  KeyConditionExpression: "pk = :pk",
  ExpressionAttributeValues: { ":pk": { S: "overwritten" } },
};

it.each([
  ["a query", (client: DynamoDBClient) => client.send(new QueryCommand(ofRow))],
  ["a query with a limit", (client: DynamoDBClient) => client.send(new QueryCommand({ ...ofRow, Limit: 1 }))],
  ["a scan", (client: DynamoDBClient) => client.send(new ScanCommand({ TableName }))],
])("after %s the table gives overwritten rows back", async (_, read) => {
  const client = stand.dynamodbClient();
  const Item = { pk: { S: "overwritten" }, text: { S: "x".repeat(100_000) } };
  const readAndOverwrite = async () => {
    await read(client);
    await client.send(new PutItemCommand({ TableName, Item }));
  };
  await readAndOverwrite();
  const before = bufferBytes();
  for (let round = 0; round < 40; round += 1) await readAndOverwrite();
  // The forty versions are 4 MB.
  expect(bufferBytes() - before).toBeLessThan(1_000_000);
});

it("a small row keeps no shared buffer of Node", async () => {
  const client = stand.dynamodbClient();
  const before = bufferBytes();
  for (let row = 0; row < 100; row += 1) {
    await client.send(new PutItemCommand({ TableName, Item: { pk: { S: `small-${row}` } } }));
    // Takes the rest of a shared buffer, so that the next row lies in another one.
    for (let filled = 0; filled < 70_000; filled += 7_000) Buffer.from("x".repeat(7_000));
  }
  expect(bufferBytes() - before).toBeLessThan(1_000_000);
});

/** After two collections: the buffers of the first are given back at the second. */
function bufferBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}
