/** Instances of several releases on one table, with one Looker, one sealing key and one clock. */
import { paginateScan } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Item, ItemKey } from "../../../functions/adapters/row-values.ts";
import { slotKey } from "../../../functions/adapters/rows.ts";
import type { SlotKey } from "../../../functions/use-cases/ports.ts";
import type { AuditFields } from "../../../functions/use-cases/record.ts";
import { type DynamodbTableUnderTest, dynamodbTable } from "../../support/contracts/dynamodb-table.ts";
import { countingIds } from "../../support/fakes/counting-ids.ts";
import { fakeLooker } from "../../support/fakes/fake-looker.ts";
import { fakeSealer } from "../../support/fakes/fake-sealer.ts";
import { type FakeSecrets, fakeSecrets } from "../../support/fakes/fake-secrets.ts";
import { type CallerKey, firstSecret, sales, secretId } from "../../support/fakes/in-memory-broker.ts";
import { virtualClock } from "../../support/fakes/virtual-clock.ts";
import type { Release } from "./releases.ts";

export const leaseMs = sales.leaseSeconds * 1_000;
const invocationMs = 28_000;
const sweepMs = 52_000;

/** A table of its own for each test. */
export async function startWorld(engineUrl: string) {
  // DynamoDB Local deletes by TTL as DynamoDB does, by its own clock.
  const clock = virtualClock({ start: Date.now() });
  const under: DynamodbTableUnderTest = await dynamodbTable(engineUrl, clock);
  const looker = fakeLooker(clock);
  const sealer = fakeSealer(under.tableName);
  const stored: FakeSecrets["stored"] = new Map([[secretId, firstSecret]]);
  let fleets = 0;

  /** One warm instance of each function of a release. */
  function fleet(release: Release) {
    const table = release.dynamodbSlotTable(under.client, under.tableName, clock);
    const ids = countingIds(`fleet${++fleets}-`);
    const ports = { clock, ids, table, looker, sealer, secrets: fakeSecrets(clock, stored) };
    const run = async <Result>(
      work: (job: { audit: AuditFields; deadline: number }) => Promise<Result>,
      ms = invocationMs,
    ) => {
      const audit: AuditFields = {};
      const result = await work({ audit, deadline: clock.now() + ms });
      return { ...result, audit };
    };
    return {
      token: (key: CallerKey, staleLeaseId?: string) =>
        run((job) =>
          release.issueToken(ports, {
            ...job,
            scope: sales,
            key,
            callerArn: key.callerArn,
            minTtlSeconds: 60,
            staleLeaseId,
          }),
        ),
      logOut: (key: CallerKey, leaseId?: string) =>
        run((job) => release.logOut(ports, { ...job, key, leaseId })),
      revoke: (request: Parameters<Release["revokeLeases"]>[2]) =>
        run((job) => release.revokeLeases(ports, { ...job, scope: sales }, request)),
      count: (request: Parameters<Release["countLeases"]>[2]) =>
        run((job) => release.countLeases(ports, { ...job, scope: sales }, request)),
      freeze: () =>
        run((job) =>
          release.freezeScope(
            ports,
            { ...job, scope: sales },
            { by: "arn:aws:iam::111122223333:role/oncall", at: clock.now(), reason: "incident" },
          ),
        ),
      unfreeze: () =>
        run(async (job) => {
          await release.unfreezeScope(ports, { ...job, scope: sales });
          return {};
        }),
      list: () =>
        run((job) => release.listLeases(ports, { ...job, scope: sales }, { partition: 0, after: undefined })),
      sweep: () => run((job) => release.sweep(ports, job), sweepMs),
    };
  }

  async function rows(): Promise<Item[]> {
    const found: Item[] = [];
    const pages = paginateScan(
      { client: under.client },
      { TableName: under.tableName, ConsistentRead: true },
    );
    for await (const { Items = [] } of pages) found.push(...Items.map((item) => unmarshall(item)));
    return found.sort((a, b) => (`${a.pk} ${a.sk}` < `${b.pk} ${b.sk}` ? -1 : 1));
  }

  async function row(key: ItemKey): Promise<Item> {
    const found = await under.get(key);
    if (!found) throw new Error(`No row ${key.pk} ${key.sk}.`);
    return found;
  }

  return {
    clock,
    looker,
    fleet,
    rows,
    row,
    put: under.put,
    slotRow: (key: SlotKey) => row(slotKey(key)),
    close: under.close,
  };
}

export type World = Awaited<ReturnType<typeof startWorld>>;
export type Fleet = ReturnType<World["fleet"]>;
