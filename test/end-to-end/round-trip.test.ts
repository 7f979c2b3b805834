import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import {
  type Caller,
  callerOf,
  leaksIn,
  lookerSdk,
  sharedStand,
  statusAtLooker,
} from "../support/broker-stand.ts";

const stand = sharedStand();
let reports: Caller;
let nightly: Caller;

beforeAll(() => {
  reports = callerOf(stand, "report-service");
  nightly = callerOf(stand, "nightly-job");
});
// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(async () => {
  vi.restoreAllMocks();
  await reports.logout("sales");
  await nightly.logout("sales");
  expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
});

/** As a person would: curl signs by itself. */
async function curl(path: string): Promise<{ status: number; json: Record<string, unknown> }> {
  const { accessKeyId, secretAccessKey, sessionToken } = reports.principal;
  const { stdout } = await promisify(execFile)("curl", [
    ...["-sS", "-X", "POST", "-w", "\n%{http_code}"],
    ...[
      "--aws-sigv4",
      `aws:amz:${stand.broker.region}:execute-api`,
      "-u",
      `${accessKeyId}:${secretAccessKey}`,
    ],
    ...["-H", `x-amz-security-token: ${sessionToken}`, `${stand.broker.endpoint}${path}`],
  ]);
  const [text = "", status] = stdout.split("\n");
  const json = JSON.parse(text);
  if (typeof json.access_token === "string") stand.secrets.add(json.access_token);
  return { status: Number(status), json };
}

const events = () => stand.looker.ledger().map(({ event, status }) => [event, status]);

test("curl gets a token, Looker's SDK uses it, a logout ends it, and asking again gives a new lease", async () => {
  stand.looker.control.resetLedger();
  const issued = await curl("/scopes/sales/token");
  expect(issued).toEqual({
    status: 200,
    json: {
      access_token: expect.any(String),
      token_type: "Bearer",
      expires_in: expect.any(Number),
      scope: "sales",
      lease_id: expect.any(String),
      base_url: stand.looker.url,
    },
  });
  expect(issued.json.expires_in).toBeGreaterThan(890);
  const sdk = lookerSdk(String(issued.json.base_url), String(issued.json.access_token));
  expect(await sdk.ok(sdk.me())).toMatchObject({ display_name: "Service account of looker/sales" });

  expect(await curl("/scopes/sales/logout")).toEqual({ status: 200, json: { revoked: 1, pending: 0 } });
  await expect(sdk.ok(sdk.me())).rejects.toThrow("Requires authentication.");
  expect(events()).toEqual([
    ["login", 200],
    ["api", 200],
    ["logout", 204],
    ["api_unauthorized", 401],
  ]);

  const again = await curl("/scopes/sales/token");
  expect(again.status).toBe(200);
  expect(again.json.lease_id).not.toBe(issued.json.lease_id);
  expect(again.json.access_token === issued.json.access_token).toBe(false);
});

test("a logout with nothing to end answers that nothing was revoked, as often as it is asked", async () => {
  for (let i = 0; i < 2; i++) {
    const { status, json } = await reports.logout("sales");
    expect({ status, json }).toEqual({ status: 200, json: { revoked: 0, pending: 0 } });
  }
});

test("a second request gets the same lease with one call to DynamoDB and none to anyone else", async () => {
  const first = await reports.token("sales");
  stand.looker.control.resetLedger();
  stand.broker.awsProxy.clearCalls();
  const second = await reports.token("sales");
  expect(second.json.lease_id).toBe(first.json.lease_id);
  expect(second.json.access_token === first.json.access_token).toBe(true);
  expect(second.headers["cache-control"]).toBe("no-store");
  expect(stand.broker.awsProxy.calls().map(({ service, operation }) => `${service}:${operation}`)).toEqual([
    "dynamodb:BatchGetItem",
  ]);
  expect(stand.looker.ledger()).toEqual([]);
});

test("two callers of one scope get different tokens, and neither can end the other's lease", async () => {
  const [mine, theirs] = [await reports.token("sales"), await nightly.token("sales")];
  expect(mine.json.lease_id).not.toBe(theirs.json.lease_id);
  expect(mine.json.access_token === theirs.json.access_token).toBe(false);

  const { status, json } = await nightly.logout("sales", { lease_id: mine.json.lease_id });
  expect({ status, json }).toEqual({ status: 200, json: { revoked: 0, pending: 0 } });
  expect((await nightly.logout("sales")).json).toEqual({ revoked: 1, pending: 0 });
  expect(await statusAtLooker(stand.looker.url, theirs.json.access_token)).toBe(401);
  expect(await statusAtLooker(stand.looker.url, mine.json.access_token)).toBe(200);
  expect((await reports.token("sales")).json.lease_id).toBe(mine.json.lease_id);
});

test("reporting another caller's lease as stale costs that caller nothing", async () => {
  const mine = await reports.token("sales");
  await nightly.token("sales", { stale_lease_id: mine.json.lease_id });
  expect((await reports.token("sales")).json.lease_id).toBe(mine.json.lease_id);
});

test("ten requests at once make one login", async () => {
  stand.looker.control.resetLedger();
  const answers = await Promise.all(Array.from({ length: 10 }, () => reports.token("sales")));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(new Set(answers.map(({ json }) => json.lease_id)).size).toBe(1);
  expect(events()).toEqual([["login", 200]]);
});

test("a token that Looker has ended already counts as revoked once Looker refuses it", async () => {
  await reports.token("sales");
  stand.looker.control.expireAllTokens();
  expect((await reports.logout("sales")).json).toEqual({ revoked: 1, pending: 0 });
});

test("a logout that Looker does not confirm is pending, and no request is given that token", async () => {
  const first = await reports.token("sales");
  // A proxy's page is no word of Looker's.
  stand.looker.control.addFault({ route: "logout", kind: "html_404", times: 1 });
  const { status, json } = await reports.logout("sales");
  expect({ status, json }).toEqual({ status: 202, json: { revoked: 0, pending: 1 } });
  const next = await reports.token("sales");
  expect(next.json.lease_id).not.toBe(first.json.lease_id);
  // Asked again, it is tried again.
  expect((await reports.logout("sales")).json).toEqual({ revoked: 2, pending: 0 });
  expect(await statusAtLooker(stand.looker.url, first.json.access_token)).toBe(401);
});
