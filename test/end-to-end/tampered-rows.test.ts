/** Rows as somebody with write access to the table, but not to the key, might leave them. */

import { createServer } from "node:http";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RunningLooker } from "../../local/looker/server.ts";
import { listen } from "../../local/loopback.ts";
import {
  type Answer,
  auditLines,
  type Caller,
  callerOf,
  leaksIn,
  type Stand,
  startStand,
  startsWithinMs,
  statusAtLooker,
  untilSeen,
} from "../support/broker-stand.ts";
import { type Row, rowsOf, type TableRows } from "./rows.ts";

let stand: Stand;
let looker: RunningLooker;
let reports: Caller;
let nightly: Caller;
let rows: TableRows;
/** Listens where an attacker would: every request that came. */
const trapped: string[] = [];
const trap = createServer((request, response) => {
  trapped.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
  response.writeHead(204).end();
});
let trapUrl: string;

beforeAll(async () => {
  stand = await startStand();
  looker = stand.broker.looker as RunningLooker;
  reports = callerOf(stand, "report-service");
  nightly = callerOf(stand, "nightly-job");
  rows = rowsOf(stand);
  trapUrl = (await listen(trap)).url;
}, startsWithinMs);
afterAll(async () => {
  rows?.close();
  trap.close();
  await stand?.stop();
});

beforeEach(async () => {
  await rows.delete(({ sk }) => sk !== "#control");
  looker.control.resetLedger();
  trapped.length = 0;
});

const auditOf = (answer: Answer) =>
  untilSeen(
    () =>
      auditLines(stand.broker).find(({ request_id }) => request_id === answer.headers["x-amzn-requestid"]),
    "the audit line",
  );
const ledger = () => looker.ledger().map(({ event }) => event);

test("a row holds no token in the clear, in no encoding, and no client secret", async () => {
  await reports.token("sales");
  await nightly.token("sales");
  await reports.logout("sales");
  await reports.token("sales");
  const items = await rows.all();
  expect(items.length).toBeGreaterThanOrEqual(3);
  const bytes: string[] = [];
  const text = JSON.stringify(items, (_, value) => {
    if (!(value instanceof Uint8Array)) return value;
    bytes.push(Buffer.from(value).toString("latin1"));
    return Buffer.from(value).toString("base64");
  });
  expect(leaksIn(text, stand.secrets)).toBe(0);
  expect(leaksIn(bytes.join("\n"), stand.secrets)).toBe(0);
});

const edits: Record<string, (row: Row) => void> = {
  "base_url points elsewhere": (row) => {
    row.lease.base_url = trapUrl;
  },
  "the sealed token has a flipped bit": (row) => {
    row.lease.sealed[row.lease.sealed.length - 1] ^= 1;
  },
  "the sealed token is cut short": (row) => {
    row.lease.sealed = row.lease.sealed.slice(0, 10);
  },
  "client_id is another": (row) => {
    row.lease.client_id = "another-client";
  },
  "lease_id is another": (row) => {
    row.lease.lease_id = "anotherLease0001";
  },
};

test.each(Object.entries(edits))(
  "where %s, nothing is sent by it, it is reported, and it heals",
  async (_, change) => {
    const first = await reports.token("sales");
    await rows.edit(reports.principal, change);
    const second = await reports.token("sales");
    expect(second.status).toBe(200);
    expect(second.json.lease_id).not.toBe(first.json.lease_id);
    expect(second.json.base_url).toBe(looker.url);
    expect(await statusAtLooker(looker.url, second.json.access_token)).toBe(200);
    expect(await auditOf(second)).toMatchObject({ code: "ok", outcome: "minted", unreadable: 1 });
    expect(trapped).toEqual([]);
    expect(ledger()).toEqual(["login", "login", "api"]);
    // The healed lease is an ordinary one.
    expect((await reports.token("sales")).json.lease_id).toBe(second.json.lease_id);
  },
);

test.each(Object.entries(edits))(
  "a logout where %s sends that token nowhere and says pending",
  async (_, change) => {
    await reports.token("sales");
    await rows.edit(reports.principal, change);
    const answer = await reports.logout("sales");
    expect(answer).toMatchObject({ status: 202, json: { revoked: 0, pending: 1 } });
    expect(await auditOf(answer)).toMatchObject({ revoked: 0, pending: 1, unreadable: 1 });
    expect(trapped).toEqual([]);
    expect(ledger()).toEqual(["login"]);
  },
);

test.each([
  ["sealed token", (row: Row, theirs: Row) => Object.assign(row.lease, { sealed: theirs.lease.sealed })],
  ["whole lease", (row: Row, theirs: Row) => Object.assign(row, { lease: theirs.lease })],
])("another caller's %s in one's row is never handed out, and that caller keeps it", async (_, swap) => {
  await reports.token("sales");
  const theirs = await nightly.token("sales");
  const theirRow = await rows.slotOf(nightly.principal);
  await rows.edit(reports.principal, (row) => swap(row, theirRow));
  looker.control.resetLedger();
  const healed = await reports.token("sales");
  expect(healed.status).toBe(200);
  expect(healed.json.access_token === theirs.json.access_token).toBe(false);
  expect(healed.json.lease_id).not.toBe(theirs.json.lease_id);
  expect(await auditOf(healed)).toMatchObject({ outcome: "minted", unreadable: 1 });
  expect(ledger()).toEqual(["login"]);
  await reports.logout("sales");
  expect(await statusAtLooker(looker.url, theirs.json.access_token)).toBe(200);
  expect((await nightly.token("sales")).json.lease_id).toBe(theirs.json.lease_id);
});

test("another caller's lease in one's outbox is not logged out", async () => {
  await reports.token("sales");
  const theirs = await nightly.token("sales");
  const { lease } = await rows.slotOf(nightly.principal);
  await rows.edit(reports.principal, (row) => {
    row.outbox = [{ ...lease, since: 0, attempts: 0, retry_at: 0 }];
  });
  const answer = await reports.logout("sales");
  expect(answer).toMatchObject({ status: 202, json: { revoked: 1, pending: 1 } });
  expect(await statusAtLooker(looker.url, theirs.json.access_token)).toBe(200);
});

test("a whole row copied to another caller's key yields nothing, with their name or with one's own", async () => {
  const theirs = await nightly.token("sales");
  const theirRow = await rows.slotOf(nightly.principal);
  await reports.token("sales");
  const { pk, sk, principal_arn } = await rows.slotOf(reports.principal);
  await rows.put({ ...theirRow, pk, sk });
  const named = await reports.token("sales");
  expect(named.json.access_token === theirs.json.access_token).toBe(false);
  await rows.put({ ...theirRow, pk, sk, principal_arn });
  const healed = await reports.token("sales");
  expect(healed.status).toBe(200);
  expect(healed.json.access_token === theirs.json.access_token).toBe(false);
  expect(await auditOf(healed)).toMatchObject({ outcome: "minted", unreadable: 1 });
});

test.each([
  ["of a newer schema", (row: Row) => Object.assign(row, { schema: 2 })],
  ["without a schema", (row: Row) => Object.assign(row, { schema: undefined })],
  ["whose lease is a text", (row: Row) => Object.assign(row, { lease: "lease" })],
  ["whose sealed token is a text", (row: Row) => Object.assign(row.lease, { sealed: "text" })],
])("a row %s is neither served nor sent anywhere", async (_, change) => {
  const first = await reports.token("sales");
  await rows.edit(reports.principal, change);
  looker.control.resetLedger();
  const answer = await reports.token("sales");
  expect(answer.json.access_token === first.json.access_token).toBe(false);
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(await auditOf(answer)).toMatchObject({ verb: "token", error: expect.stringMatching(/^Unreadable/) });
  expect(leaksIn(answer.text, stand.secrets)).toBe(0);
  expect(ledger()).toEqual([]);
  expect(trapped).toEqual([]);
});

test("the functions' logs of all this hold no secret", () => {
  expect(stand.broker.logs().length).toBeGreaterThan(20);
  expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
});

test("the administrator reads rows through the AWS proxy, but no function's role is anybody's to use", async () => {
  const { principal } = callerOf(stand, "administrator");
  const admin = new DynamoDBClient({
    endpoint: stand.broker.awsProxy.url,
    region: stand.broker.region,
    credentials: principal,
  });
  const asCaller = new DynamoDBClient({
    endpoint: stand.broker.awsProxy.url,
    region: stand.broker.region,
    credentials: reports.principal,
  });
  try {
    const key = { pk: { S: "scope#sales" }, sk: { S: "#control" } };
    const get = new GetItemCommand({ TableName: stand.broker.tableName, Key: key });
    await expect(admin.send(get)).resolves.toBeDefined();
    await expect(asCaller.send(get)).rejects.toThrow(/not authorized to perform: dynamodb:GetItem/);
  } finally {
    admin.destroy();
    asCaller.destroy();
  }
});
