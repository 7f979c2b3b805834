/** The runbook's entries about a Looker that fails: each fault made, seen, typed away, and over. */
import { expect, test } from "vitest";
import { statusAtLooker, untilSeen } from "../support/broker-stand.ts";
import type { Row } from "./rows.ts";
import { onRunbook } from "./runbook-stage.ts";

const book = onRunbook(import.meta.filename);
const takenBy = (token: string) => statusAtLooker(book.stand.broker.lookerUrl, token);

test("#looker-unavailable: a Looker that is down is seen by alarm and record, and is back by itself", async () => {
  const reports = book.caller("report-service");
  // A version of the secret that has worked: of one that never has, an unclear end costs six minutes.
  await reports.token("sales");
  await reports.logout("sales");
  book.looker.addFault({ route: "all", kind: "status", status: 503 });
  for (let tries = 0; tries < 3; tries++)
    expect((await reports.token("sales")).json.code).toBe("looker_unavailable");
  await untilSeen(() => book.alarm("LookerUnavailable") === "ALARM", "the alarm");
  const shell = await book.at("looker-unavailable");
  shell.set({ SCOPE: "sales", LOOKER: book.stand.broker.lookerUrl });
  expect((await shell.type("looker-token ask what-goes-wrong")).out).toMatch(
    /reason: login_failed_status_503/,
  );
  expect((await shell.type("curl")).out).toBe("503\n");
  expect((await shell.type("looker-token leases")).out).toBe("No leases in sales.\n");

  book.looker.clearFaults();
  expect((await shell.type("curl")).out).toBe("200\n");
  await untilSeen(async () => (await reports.token("sales")).status === 200, "a token", 35_000);
  expect((await shell.type("looker-token leases")).out).toMatch(/report-service .* live /);
}, 120_000);

test("#pending-logouts: what Looker does not confirm is pending until it does", async () => {
  const reports = book.caller("report-service");
  const { json } = await reports.token("sales");
  book.looker.addFault({ route: "logout", kind: "html_404" });
  expect((await reports.logout("sales")).json).toEqual({ revoked: 0, pending: 1 });
  // As if it had been so for six minutes.
  await book.edit(reports, (row: Row) => {
    row.outbox[0].since -= 360_000;
    row.outbox[0].retry_at = 0;
    row.due_at = 1;
  });
  await book.stand.broker.runSchedules("sweep");
  await untilSeen(() => book.alarm("OldestPendingLogout") === "ALARM", "the alarm");

  const shell = await book.at("pending-logouts");
  shell.set({ SCOPE: "sales", LEASE: json.lease_id });
  expect((await shell.type("looker-token leases")).out).toMatch(new RegExp(`${json.lease_id} +pending`));
  expect(await takenBy(json.access_token)).toBe(200);

  let state = "Disabled";
  book.aws.answer("kms describe-key", ({ "key-id": id }) =>
    id === "alias/looker-token-broker/Broker/sealing-key" ? state : "NotFoundException",
  );
  book.aws.answer("kms cancel-key-deletion", () => "{}");
  book.aws.answer("kms enable-key", ({ "key-id": id }) => {
    if (id?.startsWith("BrokerSealingKey")) state = "Enabled";
    return "";
  });
  expect((await shell.type("aws kms describe-key")).out).toBe("Disabled\n");
  await shell.type("aws kms cancel-key-deletion");
  expect((await shell.type("aws kms describe-key")).out).toBe("Enabled\n");

  book.looker.clearFaults();
  const tried = await shell.type("looker-token revoke");
  expect([tried.exitCode, tried.out]).toEqual([0, expect.stringMatching(/^revoked {2}1 lease of sales/)]);
  expect(await takenBy(json.access_token)).toBe(401);
  await untilSeen(
    async () => /kind: lease_end/.test((await shell.type("looker-token ask is-this-lease")).out),
    "its end",
  );
}, 120_000);

test("#possible-orphans: a login whose answer was lost is counted, and nobody was given its token", async () => {
  book.looker.addFault({ route: "login", kind: "reset", when: "after", times: 1 });
  const reports = book.caller("report-service");
  expect((await reports.token("sales")).json.code).toBe("looker_unavailable");
  await untilSeen(() => book.alarm("PossibleOrphans") === "ALARM", "the alarm");
  const shell = await book.at("possible-orphans");
  expect((await shell.type("looker-token ask what-goes-wrong")).out).toMatch(
    /reason: login_unknown_\w+[\s\S]*orphans: 1/,
  );
}, 120_000);

test("#slow-answers: the records say that it was Looker", async () => {
  book.looker.addFault({ route: "login", kind: "delay", delayMs: 3_500, times: 1 });
  expect((await book.caller("report-service").token("sales")).status).toBe(200);
  const shell = await book.at("slow-answers");
  const slow = await untilSeen(async () => {
    const { out } = await shell.type("looker-token ask what-goes-wrong");
    return out.split("\n\n").find((row) => /code: ok/.test(row) && /duration_most: [34]\d{3}/.test(row));
  }, "the slow request");
  expect(slow).toMatch(/looker_most: 3[5-9]\d\d/);
  shell.set({ REQUEST: /last_request: (\S+)/.exec(slow)?.[1] ?? "" });
  expect((await shell.type("looker-token ask what-happened")).out).toMatch(/looker_ms: 3[5-9]\d\d/);
}, 120_000);
