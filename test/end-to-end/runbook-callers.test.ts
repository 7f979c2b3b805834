/** The runbook's entries about callers, and about functions that fail them: each fault made, seen, typed away, and over. */
import { expect, test } from "vitest";
import { openFirstLock, statusAtLooker, untilSeen } from "../support/broker-stand.ts";
import type { Row } from "./rows.ts";
import { onRunbook } from "./runbook-stage.ts";

const book = onRunbook(import.meta.filename, { maxInstances: 1, throttle: true });
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const takenBy = (token: string) => statusAtLooker(book.stand.broker.lookerUrl, token);

test("#mint-rate: a caller that throws its tokens away is found, and its scope can be stopped", async () => {
  const reports = book.caller("report-service");
  let answer = await reports.token("sales");
  for (let tries = 0; tries < 12 && answer.status === 200; tries++) {
    await reports.logout("sales");
    answer = await reports.token("sales");
  }
  expect([answer.status, answer.json.code]).toEqual([429, "too_many_mints"]);
  await book.caller("nightly-job").token("sales");

  const shell = await book.at("mint-rate");
  shell.set({ SCOPE: "sales", CALLER: role("report-service") });
  const [most] = (await shell.type("looker-token ask who-causes-logins")).out.split("\n\n");
  expect(most).toContain(`caller.arn: ${role("report-service")}`);
  expect(most).toMatch(/logins_at_looker: 10\nleases: 10/);
  const did = (await shell.type("looker-token ask what-did-this-caller-do")).out;
  expect(did.match(/verb: logout/g)?.length).toBeGreaterThanOrEqual(10);
  // Sessions have a budget of their own.
  expect((await reports.token("sales", { session: "run-1" })).status).toBe(200);
  expect((await shell.type("looker-token ask who-holds-tokens-now")).out).toMatch(
    /holder: \S+report-service\nholder_session: run-1/,
  );
  expect((await shell.type("looker-token freeze")).out).toMatch(/^frozen {3}sales/);
  expect((await shell.type("looker-token unfreeze")).out).toMatch(/^unfrozen {2}sales/);
}, 120_000);

test("#denied-calls: who it is and which list refused it is in the records, and what it got is ended", async () => {
  const nightly = book.caller("nightly-job");
  openFirstLock(book.stand.broker, nightly.principal);
  const { json } = await nightly.token("sales");
  let refused = await nightly.token("finance");
  for (let tries = 0; tries < 20; tries++) refused = await nightly.token("finance");
  expect(refused.json.code).toBe("not_allowed");
  await untilSeen(() => book.alarm("DeniedCalls") === "ALARM", "the alarm");

  const shell = await book.at("denied-calls");
  const denied = (await shell.type("looker-token ask who-is-denied")).out;
  expect(denied).toMatch(/caller\.arn: \S+nightly-job\nscope: finance\nverb: token/);
  shell.set({ REQUEST: /last_request: (\S+)/.exec(denied)?.[1] ?? "", CALLER: role("nightly-job") });
  const request = (await shell.type("looker-token ask what-happened")).out;
  expect(request).toMatch(/lock: callers\nallowed: "\S+finance-service"/);
  expect((await shell.type("looker-token ask what-did-this-caller-do")).out).toMatch(/code: ok/);
  expect((await shell.type("looker-token revoke")).out).toContain("revoked  1 lease of 2 scopes");
  expect(await takenBy(json.access_token)).toBe(401);
}, 120_000);

test("#throttled: callers are turned away without a record, and operators get through", async () => {
  const reports = book.caller("report-service");
  const crowd = await Promise.all(Array.from({ length: 8 }, () => reports.token("sales")));
  const turnedAway = crowd.filter(({ status, json }) => [429, 503].includes(status) && json.message);
  expect(turnedAway.length).toBeGreaterThan(0);

  const shell = await book.at("throttled");
  const senders = (await shell.type("looker-token ask what-the-gateway-refused")).out;
  expect(senders).toMatch(
    /error: INTEGRATION_FAILURE\nstatus: 503\nuser_arn: \S+report-service\S+\nsource_ip: 127\S+/,
  );
  const requests = [...senders.matchAll(/requests: (\d+)/g)].map(([, count]) => Number(count));
  expect(requests).toEqual(requests.toSorted((a, b) => b - a));
  const asked: Record<string, string>[] = [];
  book.aws.answer("lambda get-account-settings", () => ({ ConcurrentExecutions: 10 }));
  book.aws.answer("service-quotas request-service-quota-increase", (flags) => asked.push({ ...flags }) && "");
  book.aws.answer("lambda put-function-concurrency", (flags) => asked.push({ ...flags }) && "");
  expect((await shell.type("aws lambda get-account-settings")).out).toContain("10");
  await shell.type("aws service-quotas");
  await shell.type("aws lambda put-function-concurrency");
  expect(asked).toMatchObject([
    { "service-code": "lambda", "desired-value": "1000" },
    { "function-name": expect.stringMatching(/^BrokerOperateFunction/) },
    { "function-name": expect.stringMatching(/^BrokerSweepFunction/) },
  ]);
  expect(await shell.type("looker-token leases")).toMatchObject({ exitCode: 0 });
}, 120_000);

test("#internal-errors: the record says what and where", async () => {
  const reports = book.caller("report-service");
  await reports.token("sales");
  await book.edit(reports, (row: Row) => {
    row.schema = 2;
  });
  expect((await reports.token("sales")).json.code).toBe("internal");
  await untilSeen(() => book.alarm("InternalErrors") === "ALARM", "the alarm");

  const shell = await book.at("internal-errors");
  const wrong = (await shell.type("looker-token ask what-goes-wrong")).out.split("\n\n");
  const row = wrong.find((each) => each.includes("code: internal")) ?? "";
  shell.set({ REQUEST: /last_request: (\S+)/.exec(row)?.[1] ?? "" });
  expect((await shell.type("looker-token ask what-happened")).out).toMatch(
    /reason: unreadable_row[\s\S]*error: \w+\nerror_at: \S+:\d+:\d+/,
  );
  expect((await shell.type("looker-token ask what-crashed")).out).toBe("Nothing in the past 2h.\n");
}, 120_000);
