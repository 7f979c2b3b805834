/**
 * Partition keys in a call of DynamoDB. Policies tell rows apart by them.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
import { table } from "../../functions/contract.ts";
import { isJsonObject } from "../json-object.ts";

export function leadingKeysOf(input: Record<string, unknown>): string[] {
  const batches = isJsonObject(input.RequestItems) ? Object.values(input.RequestItems) : [];
  const keys = batches.flatMap((batch) =>
    isJsonObject(batch) && Array.isArray(batch.Keys) ? batch.Keys : [],
  );
  const values = [input.Key, input.Item, ...keys].map(
    (item) => isJsonObject(item) && item[table.partitionKey],
  );
  return [...new Set([...values, queried(input)].flatMap(textOf))];
}

/** The broker's queries begin with their partition: `pk = :pk AND …`. */
function queried({ KeyConditionExpression, ExpressionAttributeValues }: Record<string, unknown>): unknown {
  const [, name = ""] = /^\w+ = (:\w+)/.exec(String(KeyConditionExpression)) ?? [];
  return isJsonObject(ExpressionAttributeValues) && ExpressionAttributeValues[name];
}

const textOf = (value: unknown) => (isJsonObject(value) && typeof value.S === "string" ? [value.S] : []);
