/** The broker whose keys and secrets are kept by moto: what it relies on there is not of its own making. */
import { DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { sealContextKeys } from "../../../functions/contract.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import type { RunningLooker } from "../../../local/looker/server.ts";
import {
  type Caller,
  callerOf,
  clientSecretOf,
  leaksIn,
  lookerSdk,
  type Stand,
  startStand,
  statusAtLooker,
} from "../../support/broker-stand.ts";
import { type RunningMoto, startMoto } from "./moto.ts";

let moto: RunningMoto;
let stand: Stand;
let looker: RunningLooker;
let reports: Caller;
let nightly: Caller;
/** Past the AWS proxy, at the engines themselves. */
let rows: DynamoDBClient;
let keys: KMSClient;
let secrets: SecretsManagerClient;

beforeAll(async () => {
  moto = await startMoto();
  stand = await startStand({ externalEngines: { kms: moto.url, secretsmanager: moto.url } });
  looker = stand.broker.looker as RunningLooker;
  reports = callerOf(stand, "report-service");
  nightly = callerOf(stand, "nightly-job");
  const { region, engines } = stand.broker;
  const settings = { region, credentials: ENGINE_CREDENTIAL };
  rows = new DynamoDBClient({ ...settings, endpoint: engines.urls.dynamodb });
  keys = new KMSClient({ ...settings, endpoint: moto.url });
  secrets = new SecretsManagerClient({ ...settings, endpoint: moto.url });
}, 120_000);
afterAll(async () => {
  for (const client of [rows, keys, secrets]) client?.destroy();
  await stand?.stop();
  await moto?.close();
});
// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(async () => {
  vi.restoreAllMocks();
  await reports.logout("sales");
  await nightly.logout("sales");
  expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
});

async function slotOf({ principal }: Caller) {
  const { Items = [] } = await rows.send(
    new ScanCommand({ TableName: stand.broker.tableName, ConsistentRead: true }),
  );
  const sk = `caller#${principal.accountId}#${principal.caller.split(":")[0]}`;
  return Items.map((item) => unmarshall(item)).find((item) => item.sk === sk) ?? expect.fail("no such row");
}

test("a token is issued and used, and is dead once its logout was confirmed", async () => {
  const issued = await reports.token("sales");
  expect(issued.status).toBe(200);
  const sdk = lookerSdk(issued.json.base_url, issued.json.access_token);
  expect(await sdk.ok(sdk.me())).toMatchObject({ display_name: "Service account of looker/sales" });
  expect((await reports.token("sales")).json.lease_id).toBe(issued.json.lease_id);
  expect((await reports.logout("sales")).json).toEqual({ revoked: 1, pending: 0 });
  await expect(sdk.ok(sdk.me())).rejects.toThrow("Requires authentication.");
  expect((await reports.token("sales")).json.lease_id).not.toBe(issued.json.lease_id);
});

test("a secret that was rotated is picked up without a restart", async () => {
  const before = await reports.token("sales");
  expect(before.status).toBe(200);
  await reports.logout("sales");
  const { client_id } = await clientSecretOf(stand.broker, "looker/sales");
  const client_secret = "rotated-at-looker-and-in-moto";
  stand.secrets.add(client_secret);
  looker.control.changeSecret(client_id, client_secret);
  looker.control.resetLedger();
  await secrets.send(
    new PutSecretValueCommand({
      SecretId: "looker/sales",
      SecretString: JSON.stringify({ client_id, client_secret }),
    }),
  );
  // What an instance has in memory is read again after ten seconds at the earliest.
  await expect
    .poll(async () => (await reports.token("sales")).status, { timeout: 60_000, interval: 1_000 })
    .toBe(200);
  expect(looker.ledger().filter(({ event }) => event === "login")).toHaveLength(1);
});

test("a sealed token opens under its row's context, and under no other", async () => {
  const { json } = await reports.token("sales");
  const { lease } = await slotOf(reports);
  const context: Record<string, string> = {
    table: stand.broker.tableName,
    scope: "sales",
    account: reports.principal.accountId,
    caller: reports.principal.caller.split(":")[0] ?? "",
    session: "-",
    lease_id: json.lease_id,
    base_url: json.base_url,
    client_id: lease.client_id,
  };
  const open = (EncryptionContext: Record<string, string>) =>
    keys.send(new DecryptCommand({ CiphertextBlob: lease.sealed, EncryptionContext }));
  const { Plaintext = [] } = await open(context);
  expect(Buffer.from(Plaintext).toString() === json.access_token).toBe(true);
  expect(Object.keys(context).sort()).toEqual([...sealContextKeys].sort());
  for (const name of sealContextKeys) {
    const other = open({ ...context, [name]: `${context[name]}x` });
    await expect(other).rejects.toMatchObject({ name: "InvalidCiphertextException" });
  }
});

test("a lease that was copied into another caller's row is not served there", async () => {
  const { json } = await reports.token("sales");
  expect((await nightly.token("sales")).status).toBe(200);
  const [from, to] = [await slotOf(reports), await slotOf(nightly)];
  const Item = marshall({ ...to, lease: from.lease }, { removeUndefinedValues: true });
  await rows.send(new PutItemCommand({ TableName: stand.broker.tableName, Item }));
  const served = await nightly.token("sales");
  expect(served.status).toBe(200);
  expect(served.json.access_token === json.access_token).toBe(false);
  expect(await statusAtLooker(looker.url, json.access_token)).toBe(200);
});
