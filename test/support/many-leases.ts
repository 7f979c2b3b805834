/** Ten thousand leases without ten thousand logins: copies of a lease's row, each of a caller of its own. */
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ScanCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { slotKey } from "../../functions/adapters/rows.ts";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { Stand } from "./broker-stand.ts";

export interface ManyLeases {
  /** Takes the first of them off the list, as the end of a lease does. */
  end(count: number): Promise<void>;
  close(): void;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const mostRowsPerCall = 25;
const account = "111122223333";

/** The table has one slot, of a lease in `scope`. Its token is sealed for its own caller, so nobody is served a copy. */
export async function copyLease({ broker }: Stand, scope: string, copies: number): Promise<ManyLeases> {
  const client = new DynamoDBClient({
    endpoint: broker.engines.urls.dynamodb,
    region: broker.region,
    credentials: ENGINE_CREDENTIAL,
  });
  const TableName = broker.tableName;
  const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
  const slot = Items.map((item) => unmarshall(item)).find(({ sk, lease }) => /^caller#/.test(sk) && lease);
  if (!slot) throw new Error("The table has no lease to copy.");
  const keys = Array.from({ length: copies }, (_, at) =>
    slotKey({ scope, account, uniqueId: `AROAZ${String(at).padStart(16, "Z")}` }),
  );
  const requests = keys.map((key, at): WriteRequest => {
    const lease = { ...slot.lease, lease_id: at.toString(16).padStart(20, "0") };
    const names = [`arn:aws:iam::${account}:role/service-${at}`];
    return {
      PutRequest: { Item: marshall({ ...slot, ...key, lease, names }, { removeUndefinedValues: true }) },
    };
  });
  while (requests.length > 0)
    await client.send(
      new BatchWriteItemCommand({ RequestItems: { [TableName]: requests.splice(0, mostRowsPerCall) } }),
    );
  return {
    async end(count) {
      for (const key of keys.splice(0, count))
        await client.send(new DeleteItemCommand({ TableName, Key: marshall(key) }));
    },
    close: () => client.destroy(),
  };
}
