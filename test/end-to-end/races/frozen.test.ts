/**
 * Function instances that are frozen between invocations, as Lambda does, while the network forgets their connections:
 * child processes under SIGSTOP and SIGCONT.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dynamodbSlotTable } from "../../../functions/adapters/dynamodb-slot-table.ts";
import { kmsSealer } from "../../../functions/adapters/kms-sealer.ts";
import { systemClock } from "../../../functions/adapters/system.ts";
import { environment } from "../../../functions/contract.ts";
import { sha256Of } from "../../../functions/domain/digest.ts";
import { emptySlot } from "../../../functions/domain/slot.ts";
import { sealIdentity } from "../../../functions/use-cases/ports.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import {
  auditLines,
  callerOf,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../../support/broker-stand.ts";
import { type ForgetfulProxy, forgetfulProxy } from "../../support/forgetful-proxy.ts";

const sales = { clientId: "sales-reader", clientSecret: "first-of-sales" };
const finance = { clientId: "finance-reader", clientSecret: "of-finance" };
const newSecret = "second-of-sales";

let looker: RunningLooker;
let proxy: ForgetfulProxy;
let stand: Stand;
beforeAll(async () => {
  looker = await startLooker({
    accounts: [
      { userId: "1", displayName: "Sales", credentials: [sales] },
      { userId: "2", displayName: "Finance", credentials: [finance] },
    ],
  });
  proxy = await forgetfulProxy(looker.url);
  stand = await startStand({
    instances: "processes",
    maxInstances: 1,
    externalLooker: { url: proxy.url, ...sales },
  });
  const { clientId: client_id, clientSecret: client_secret } = finance;
  await stand.broker.engines.putSecret("looker/finance", { client_id, client_secret });
}, startsWithinMs);
afterAll(async () => {
  await stand?.stop();
  await proxy?.close();
  await looker?.close();
});

/** Frozen, forgotten, and thawed by its next invocation. */
async function thawedBy<T>(
  functionId: string,
  invoke: () => Promise<T>,
  meanwhile = async () => {},
): Promise<T> {
  const instance = () => stand.broker.instances(functionId)[0];
  const { pid } = await untilSeen(() => instance()?.busy === false && instance(), `${functionId} idle`);
  if (pid === undefined) throw new Error("The instance is no process.");
  process.kill(pid, "SIGSTOP");
  proxy.forget();
  await meanwhile();
  const answer = invoke();
  await untilSeen(() => instance()?.busy, `${functionId} invoked`);
  process.kill(pid, "SIGCONT");
  return await answer;
}

const lines = (verb: string) => auditLines(stand.broker).filter((line) => line.verb === verb);

test("a right new secret works at once after a thaw: no unknown login, no possible orphan, no wait", async () => {
  const [nightly, reports] = [callerOf(stand, "nightly-job"), callerOf(stand, "report-service")];
  expect((await reports.token("sales")).status).toBe(200);
  looker.control.changeSecret(sales.clientId, newSecret);
  expect((await nightly.token("sales")).json.code).toBe("looker_rejected_credentials");
  await stand.broker.engines.putSecret("looker/sales", {
    client_id: sales.clientId,
    client_secret: newSecret,
  });
  // Until a rejected version is looked at again.
  await sleep(10_500);
  // The instance has just spoken to Looker.
  expect((await callerOf(stand, "finance-service").token("finance")).status).toBe(200);

  const answer = await thawedBy("issue-token", () => nightly.token("sales"));

  expect([answer.status, answer.json.code]).toEqual([200, undefined]);
  expect(looker.ledger().at(-1)).toMatchObject({ event: "login", clientId: sales.clientId });
  const { reason, possible_orphans } = lines("token").at(-1);
  expect({ reason, possible_orphans }).toEqual({});
});

test("of 100 logouts that are due after a thaw all get through in one sweep", async () => {
  // So that it is frozen for three seconds: the local AWS closes an idle connection after five, which is another matter.
  const dueAt = Date.now() + 15_000;
  await leasesEndingAt(dueAt, 100);
  await leasesEndingAt(Date.now() - 5_000, 20);
  await sleep(dueAt - 2_000 - Date.now());
  await stand.broker.runSchedules("sweep");
  expect(lines("sweep").at(-1)).toMatchObject({ revoked: 20, pending: 0 });

  const sweeps = lines("sweep").length;

  await thawedBy(
    "sweep",
    () => stand.broker.runSchedules("sweep"),
    () => sleep(dueAt + 1_000 - Date.now()),
  );

  // A row that the table did not give in time is the next sweep's; a logout that Looker was asked for is not.
  const after = () => lines("sweep").slice(sweeps);
  if (after().some(({ reason }) => reason === "dynamodb_unavailable"))
    await stand.broker.runSchedules("sweep");
  expect(after().map(({ pending }) => pending ?? 0)).toEqual(after().map(() => 0));
  expect(after().reduce((sum, { revoked }) => sum + (revoked ?? 0), 0)).toBe(100);
  const due = looker.liveTokens().filter(({ sha256 }) => made.has(sha256));
  expect(due).toEqual([]);
});

test("no function leaves a connection to Looker open behind its answer", async () => {
  const [reports, operator] = [callerOf(stand, "report-service"), callerOf(stand, "platform-engineer")];
  const invocations = {
    logout: () => reports.logout("sales"),
    operate: () => operator.send("DELETE", "/scopes/finance/leases?all=true"),
    sweep: async () => {
      await leasesEndingAt(Date.now() - 5_000, 3);
      await stand.broker.runSchedules("sweep");
    },
  };
  for (const [functionId, invoke] of Object.entries(invocations)) {
    const asked = looker.ledger().length;
    await invoke();
    expect(looker.ledger().length, functionId).toBeGreaterThan(asked);
    // The stand-in Looker itself would close them after five seconds.
    await untilSeen(() => proxy.open() === 0, `no connection behind ${functionId}`, 2_000);
  }
});

/** SHA-256s of tokens of leases that have ended. */
const made = new Set<string>();

/** As many callers' leases, their tokens alive at Looker. */
async function leasesEndingAt(endsAt: number, count: number): Promise<void> {
  const { engines, region, tableName, stack } = stand.broker;
  const client = { region, credentials: ENGINE_CREDENTIAL };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: engines.urls.dynamodb });
  const kms = new KMSClient({ ...client, endpoint: engines.urls.kms });
  const keyArn = stack.functions[0]?.environment[environment.sealingKeyArn] ?? "";
  const sealer = kmsSealer(kms, { keyArn, tableName });
  const table = dynamodbSlotTable(dynamodb, tableName, systemClock);
  const now = Date.now();
  for (let index = 0; index < count; index++) {
    const response = await fetch(`${looker.url}/api/4.0/login`, {
      method: "POST",
      body: new URLSearchParams({ client_id: finance.clientId, client_secret: finance.clientSecret }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    made.add(sha256Of(token));
    const key = { scope: "finance", account: "111122223333", uniqueId: `AROADUE${made.size}` };
    const named = { leaseId: `due-${made.size}`, baseUrl: proxy.url, clientId: finance.clientId };
    const lease = {
      ...named,
      sealed: await sealer.seal(token, sealIdentity(key, named)),
      tokenSha256: sha256Of(token),
      issuedAt: now - 300_000,
      endsAt,
      lookerEndsAt: now + 3_000_000,
      epoch: 0,
      digest: "of-an-ended-lease",
    };
    await table.slots.write(key, { ...emptySlot, version: 1, writeId: named.leaseId, lease }, 0);
  }
  dynamodb.destroy();
  kms.destroy();
}
