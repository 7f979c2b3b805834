/**
 * The one table: slots and control items under conditional writes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { newScopeControl, newSecretControl, type Versioned } from "../core/control.ts";
import { type Clock, type Rows, type SlotKey, type SlotTable, Unavailable } from "../core/ports.ts";
import { emptySlot } from "../core/slot.ts";
import { asUnavailable } from "./aws-client.ts";
import {
  type Item,
  type ItemKey,
  readScopeControl,
  readSecretControl,
  readSlot,
  scopeControlItem,
  scopeControlKey,
  secretControlItem,
  secretControlKey,
  slotItem,
  slotKey,
} from "./rows.ts";

/** BatchGetItem may leave keys unprocessed under throttling; asked for again this often. */
const batchRounds = 3;

export function dynamodbSlotTable(client: DynamoDBClient, tableName: string, clock: Clock): SlotTable {
  async function get(key: ItemKey): Promise<Item | undefined> {
    try {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true }),
      );
      return Item && unmarshall(Item);
    } catch (error) {
      throw asUnavailable(error, "dynamodb");
    }
  }

  async function batchGet(keys: readonly ItemKey[]): Promise<(Item | undefined)[]> {
    const found: Item[] = [];
    let wanted = keys.map((key) => marshall(key));
    for (let round = 1; wanted.length > 0; round++) {
      try {
        const { Responses, UnprocessedKeys } = await client.send(
          new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: wanted, ConsistentRead: true } } }),
        );
        found.push(...(Responses?.[tableName] ?? []).map((item) => unmarshall(item)));
        wanted = UnprocessedKeys?.[tableName]?.Keys ?? [];
      } catch (error) {
        throw asUnavailable(error, "dynamodb");
      }
      if (wanted.length > 0 && round === batchRounds) throw new Unavailable("dynamodb");
      if (wanted.length > 0) await clock.sleep(50 * round);
    }
    return keys.map(({ pk, sk }) => found.find((item) => item.pk === pk && item.sk === sk));
  }

  async function put(item: Item, expectedVersion: number): Promise<boolean> {
    try {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: marshall(item, { removeUndefinedValues: true }),
          ...(expectedVersion === 0
            ? { ConditionExpression: "attribute_not_exists(pk)" }
            : {
                ConditionExpression: "version = :expected",
                ExpressionAttributeValues: { ":expected": { N: String(expectedVersion) } },
              }),
        }),
      );
      return true;
    } catch (error) {
      // Also what a retry of the SDK meets whose first try was done but not heard of: commit() tells them apart.
      if (error instanceof ConditionalCheckFailedException) return false;
      throw asUnavailable(error, "dynamodb");
    }
  }

  const rows = <Key, Row extends Versioned>(
    key: (key: Key) => ItemKey,
    parse: (item: Item) => Row,
    item: (key: Key, row: Row) => Item,
    fresh: (key: Key) => Row,
  ): Rows<Key, Row> => ({
    async read(name) {
      const found = await get(key(name));
      return found ? parse(found) : fresh(name);
    },
    write: (name, row, expectedVersion) => put(item(name, row), expectedVersion),
  });

  return {
    slots: rows(
      slotKey,
      readSlot,
      (key, slot) => slotItem(key, slot, clock.now()),
      (key: SlotKey & { principalArn: string }) => emptySlot(key.principalArn),
    ),
    scopeControls: rows(scopeControlKey, readScopeControl, scopeControlItem, () => newScopeControl),
    secretControls: rows(secretControlKey, readSecretControl, secretControlItem, () => newSecretControl),
    async readForIssue(key) {
      const [slot, control] = await batchGet([slotKey(key), scopeControlKey(key.scope)]);
      return {
        slot: slot ? readSlot(slot) : emptySlot(key.principalArn),
        control: control ? readScopeControl(control) : newScopeControl,
      };
    },
    async readControls(scope, secretId) {
      const [control, secretControl] = await batchGet([scopeControlKey(scope), secretControlKey(secretId)]);
      return {
        control: control ? readScopeControl(control) : newScopeControl,
        secretControl: secretControl ? readSecretControl(secretControl) : newSecretControl,
      };
    },
  };
}
