/**
 * The one table: slots and control items under conditional writes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 */
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { table } from "../contract.ts";
import { newAccountCheck } from "../domain/account-check.ts";
import { newScopeControl, newSecretControl, type Versioned } from "../domain/control.ts";
import { newSessionBudget } from "../domain/session-budget.ts";
import { emptySlot } from "../domain/slot.ts";
import {
  type BrokerTable,
  type CallerKey,
  type Clock,
  type DueRow,
  type Rows,
  type SlotPage,
  Unavailable,
  Unreadable,
} from "../use-cases/ports.ts";
import { accountCheckItem, accountCheckKey, readAccountCheck } from "./account-row.ts";
import { asUnavailable } from "./aws-client.ts";
import type { Item, ItemKey } from "./row-values.ts";
import {
  dueShard,
  dueShards,
  ownSlotKeys,
  readDueKey,
  readScopeControl,
  readSecretControl,
  readSessionBudget,
  readSlot,
  readSlotKey,
  scopeControlItem,
  scopeControlKey,
  secretControlItem,
  secretControlKey,
  sessionBudgetItem,
  sessionBudgetKey,
  slotItem,
  slotKey,
  slotPartitionKey,
  slotPartitions,
} from "./rows.ts";

/** Numbers that JavaScript has not are for the reader to refuse: as they are, unmarshall() throws over some of them. */
const decode = (item: Record<string, AttributeValue>): Item => unmarshall(item, { wrapNumbers: Number });

/** Of at most 1 MB each: about 5,000 keys. */
const duePages = 4;

/** BatchGetItem may leave keys unprocessed under throttling; asked for again this often. */
const batchRounds = 3;

export function dynamodbSlotTable(client: DynamoDBClient, tableName: string, clock: Clock): BrokerTable {
  async function get(key: ItemKey): Promise<Item | undefined> {
    try {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true }),
      );
      return Item && decode(Item);
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
        found.push(...(Responses?.[tableName] ?? []).map((item) => decode(item)));
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

  async function query(
    input: Omit<QueryCommandInput, "TableName">,
  ): Promise<{ items: Item[]; lastKey: Item | undefined }> {
    try {
      const { Items, LastEvaluatedKey } = await client.send(
        new QueryCommand({ TableName: tableName, ...input }),
      );
      return {
        items: (Items ?? []).map((item) => decode(item)),
        lastKey: LastEvaluatedKey && decode(LastEvaluatedKey),
      };
    } catch (error) {
      throw asUnavailable(error, "dynamodb");
    }
  }

  async function querySlots(
    scope: string,
    partition: number,
    {
      account,
      after,
      limit,
    }: { account?: string | undefined; after?: string | undefined; limit?: number | undefined } = {},
  ): Promise<SlotPage> {
    const pk = slotPartitionKey(scope, partition);
    const { items, lastKey } = await query({
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
      ExpressionAttributeValues: marshall({
        ":pk": pk,
        ":prefix": account === undefined ? "caller#" : `caller#${account}#`,
      }),
      ConsistentRead: true,
      ...(limit === undefined ? {} : { Limit: limit }),
      ...(after === undefined ? {} : { ExclusiveStartKey: marshall({ pk, sk: after }) }),
    });
    return slotPage(scope, items, lastKey);
  }

  async function queryOwnSlots(caller: CallerKey, after?: string): Promise<SlotPage> {
    const { pk, from, to } = ownSlotKeys(caller);
    const { items, lastKey } = await query({
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
      ExpressionAttributeValues: marshall({ ":pk": pk, ":from": from, ":to": to }),
      ConsistentRead: true,
      ...(after === undefined ? {} : { ExclusiveStartKey: marshall({ pk, sk: after }) }),
    });
    return slotPage(caller.scope, items, lastKey);
  }

  /** Of one shard of the index, the longest due first. What is beyond the last page waits for the next sweep. */
  async function* dueShardPages(shard: number, now: number): AsyncGenerator<DueRow[]> {
    const { name, partitionKey, sortKey } = table.dueIndex;
    let after: Item | undefined;
    for (let page = 1; page <= duePages; page++) {
      const { items, lastKey } = await query({
        IndexName: name,
        KeyConditionExpression: `${partitionKey} = :shard AND ${sortKey} <= :now`,
        ExpressionAttributeValues: marshall({ ":shard": dueShard(shard), ":now": Math.floor(now / 1_000) }),
        ...(after === undefined ? {} : { ExclusiveStartKey: marshall(after) }),
      });
      yield items.flatMap((item) => readDueKey(item) ?? []);
      if (lastKey === undefined) return;
      after = lastKey;
    }
  }

  /**
   * The shards side by side: of each the next page is asked for while the last is worked on. A shard that cannot be read does not
   * keep the others from being swept; its failure comes last.
   */
  async function* queryDue(now: number): AsyncGenerator<DueRow[]> {
    const shards = Array.from({ length: dueShards }, (_, shard) => dueShardPages(shard, now));
    const next = async (shard: AsyncGenerator<DueRow[]>) => {
      const [page] = await Promise.allSettled([shard.next()]);
      return { shard, page };
    };
    const underWay = new Map(shards.map((shard) => [shard, next(shard)]));
    const failures: unknown[] = [];
    while (underWay.size > 0) {
      const { shard, page } = await Promise.race(underWay.values());
      if (page.status === "fulfilled" && !page.value.done) {
        underWay.set(shard, next(shard));
        yield page.value.value;
      } else {
        underWay.delete(shard);
        if (page.status === "rejected") failures.push(page.reason);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    slotPartitions,
    querySlots,
    queryOwnSlots,
    queryDue,
    slots: rows(
      slotKey,
      readSlot,
      (key, slot) => slotItem(key, slot, clock.now()),
      () => emptySlot,
    ),
    scopeControls: rows(scopeControlKey, readScopeControl, scopeControlItem, () => newScopeControl),
    secretControls: rows(secretControlKey, readSecretControl, secretControlItem, () => newSecretControl),
    sessionBudgets: rows(
      sessionBudgetKey,
      readSessionBudget,
      (caller, row) => sessionBudgetItem(caller, row, clock.now()),
      () => newSessionBudget,
    ),
    accountChecks: rows(accountCheckKey, readAccountCheck, accountCheckItem, () => newAccountCheck),
    async readForIssue(key) {
      const [slot, control] = await batchGet([slotKey(key), scopeControlKey(key.scope)]);
      return {
        slot: slot ? readSlot(slot) : emptySlot,
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

function slotPage(scope: string, items: readonly Item[], lastKey: Item | undefined): SlotPage {
  const entries = items.flatMap((item) => {
    try {
      const key = readSlotKey(scope, item);
      return key ? [{ key, slot: readSlot(item) }] : [];
    } catch (error) {
      if (error instanceof Unreadable) return [];
      throw error;
    }
  });
  const next = typeof lastKey?.sk === "string" ? lastKey.sk : undefined;
  return { entries, unreadable: items.length - entries.length, next };
}
