/** The table behind the AWS proxy: rows as somebody would see, and leave, them who may read and write it. */
import { DeleteItemCommand, DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { LocalPrincipal } from "../../local/principals.ts";
import type { Stand } from "../support/broker-stand.ts";

// biome-ignore lint/suspicious/noExplicitAny: an item is looked at and edited at will.
export type Row = any;

export interface TableRows {
  all(): Promise<Row[]>;
  /** The first that the principal has. */
  slotOf(principal: LocalPrincipal): Promise<Row>;
  edit(principal: LocalPrincipal, change: (row: Row) => void): Promise<void>;
  put(row: Row): Promise<void>;
  delete(which: (row: Row) => boolean): Promise<void>;
  /** Bytes as text too, so that what is in them is found. */
  asText(): Promise<string>;
  close(): void;
}

export function rowsOf({ broker }: Stand): TableRows {
  const client = new DynamoDBClient({
    endpoint: broker.engines.urls.dynamodb,
    region: broker.region,
    credentials: ENGINE_CREDENTIAL,
  });
  const TableName = broker.tableName;
  const rows: TableRows = {
    async all() {
      const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
      return Items.map((item) => unmarshall(item));
    },
    async slotOf({ name, accountId, caller }) {
      const sortKey = `caller#${accountId}#${caller.split(":")[0]}`;
      const row = (await rows.all()).find(({ sk }) => sk === sortKey);
      if (!row) throw new Error(`No slot of ${name}.`);
      return row;
    },
    async edit(principal, change) {
      const row = await rows.slotOf(principal);
      change(row);
      await rows.put(row);
    },
    async put(row) {
      const Item = marshall(row, { removeUndefinedValues: true });
      await client.send(new PutItemCommand({ TableName, Item }));
    },
    async delete(which) {
      for (const row of (await rows.all()).filter(which))
        await client.send(new DeleteItemCommand({ TableName, Key: marshall({ pk: row.pk, sk: row.sk }) }));
    },
    async asText() {
      return JSON.stringify(await rows.all(), (_, value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
      );
    },
    close: () => client.destroy(),
  };
  return rows;
}
