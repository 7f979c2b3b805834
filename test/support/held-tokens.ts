/** Which tokens the broker holds: in its rows, sealed, and in an operator's listing. */
import { createHash } from "node:crypto";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { expect } from "vitest";
import { kmsSealer } from "../../functions/adapters/kms-sealer.ts";
import type { Item } from "../../functions/adapters/row-values.ts";
import { readSlot, readSlotKey } from "../../functions/adapters/rows.ts";
import { environment } from "../../functions/contract.ts";
import type { Slot } from "../../functions/domain/slot.ts";
import { sealIdentity } from "../../functions/use-cases/ports.ts";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { Caller, Stand } from "./broker-stand.ts";

export interface HeldToken {
  readonly scope: string;
  readonly uniqueId: string;
  readonly leaseId: string;
  readonly where: "lease" | "superseded" | "outbox";
}

export interface HeldRows {
  readonly slots: readonly { readonly scope: string; readonly uniqueId: string; readonly slot: Slot }[];
  /** Every token in any slot, by its SHA-256 as in Looker's ledger. */
  readonly tokens: ReadonlyMap<string, HeldToken>;
}

/** The table as it is, past the AWS proxy, with every sealed token opened. */
export async function heldRows({ broker }: Stand): Promise<HeldRows> {
  const { engines, region, tableName, stack } = broker;
  const client = { region, credentials: ENGINE_CREDENTIAL };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: engines.urls.dynamodb });
  const kms = new KMSClient({ ...client, endpoint: engines.urls.kms });
  try {
    const { Items = [] } = await dynamodb.send(
      new ScanCommand({ TableName: tableName, ConsistentRead: true }),
    );
    const rows = Items.map((item) => unmarshall(item) as Item);
    const keyArn = stack.functions[0]?.environment[environment.sealingKeyArn] ?? "";
    const sealer = kmsSealer(kms, { keyArn, tableName });
    const slots = rows.flatMap((item) => {
      const key = readSlotKey(String(item.pk).split("#")[1] ?? "", item);
      return key ? [{ ...key, slot: readSlot(item) }] : [];
    });
    const tokens = new Map<string, HeldToken>();
    for (const { slot, ...key } of slots) {
      const { scope, uniqueId } = key;
      const held = [
        ...(slot.lease ? [["lease", slot.lease] as const] : []),
        ...slot.superseded.map((token) => ["superseded", token] as const),
        ...slot.outbox.map((token) => ["outbox", token] as const),
      ];
      for (const [where, token] of held) {
        const { leaseId, sealed } = token;
        const context = sealIdentity(key, token);
        tokens.set(sha256(await sealer.unseal(sealed, context)), { scope, uniqueId, leaseId, where });
      }
    }
    return { slots, tokens };
  } finally {
    dynamodb.destroy();
    kms.destroy();
  }
}

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** SHA-256s of tokens that work at Looker and that no slot holds. */
export async function lostTokens(stand: Stand): Promise<string[]> {
  const { tokens } = await heldRows(stand);
  return stand.looker.liveTokens().flatMap(({ sha256: each }) => (tokens.has(each) ? [] : [each]));
}

export interface Listed {
  lease_id: string | null;
  state: string;
  unique_id: string;
}

export async function listing(operator: Caller, scope: string): Promise<Listed[]> {
  const answer = await operator.send("GET", `/scopes/${scope}/leases`);
  expect(answer.status).toBe(200);
  return answer.json.leases;
}
