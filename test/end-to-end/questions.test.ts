/** A short day at a broker, and then the questions: answered from the records alone, and compared with what was done. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filledQuery, flagOf } from "../../cli/src/deployment/fill-question.ts";
import { type SavedQuery, savedQueries } from "../../infra/saved-queries.ts";
import { ask } from "../../local/insights/ask.ts";
import { mostFields } from "../../local/insights/events.ts";
import { asObjects } from "../../local/insights/show.ts";
import { isAuditRecord } from "../../local/record-file.ts";
import { mustBeRecord } from "../support/audit/schema.ts";
import {
  type Answer,
  type Caller,
  callerOf,
  clientSecretOf,
  openFirstLock,
  type Stand,
  startStand,
  startsWithinMs,
  untilSeen,
} from "../support/broker-stand.ts";

let stand: Stand;
let records: string[];
/** What was done, by the answers that were given. */
const done: Record<string, Answer> = {};
const session = "run-7";
const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const clientIds = { sales: "", finance: "" };

beforeAll(async () => {
  stand = await startStand();
  const { looker } = stand.broker;
  for (const scope of ["sales", "finance"] as const)
    clientIds[scope] = (await clientSecretOf(stand.broker, `looker/${scope}`)).client_id;
  const [reports, nightly, finance, operator] = (
    ["report-service", "nightly-job", "finance-service", "platform-engineer"] as const
  ).map((name) => callerOf(stand, name)) as [Caller, Caller, Caller, Caller];

  done.reports = await reports.token("sales");
  done.reportsAgain = await reports.token("sales");
  done.session = await reports.token("sales", { session });
  // A login that its own caller's logout overtakes: Looker makes a token that nobody is given.
  looker?.control.addFault({ route: "login", kind: "hold", times: 1 });
  const overtaken = nightly.token("sales");
  await untilSeen(() => looker?.control.inFlight().some(({ fault }) => fault === "hold"), "the held login");
  done.overtakenBy = await nightly.logout("sales");
  looker?.control.release();
  done.overtaken = await overtaken;
  done.nightly = await nightly.token("sales");
  // The first lock stands open, so that the scope's own list refuses.
  openFirstLock(stand.broker, nightly.principal);
  done.denied = await nightly.token("finance");
  done.finance = await finance.token("finance");
  // An incident in the other scope.
  done.frozen = await operator.send(
    "PUT",
    "/scopes/finance/freeze",
    JSON.stringify({ reason: "an incident" }),
  );
  done.refused = await finance.token("finance");
  done.unfrozen = await operator.send("DELETE", "/scopes/finance/freeze");
  looker?.control.addFault({ route: "login", kind: "status", status: 500, times: 1 });
  done.failed = await finance.token("finance");
  // A leak: one lease is revoked, while nobody can say whether Looker took its logout, the sweeper neither.
  looker?.control.addFault({ route: "logout", kind: "html_404", times: 1_000 });
  done.dryRun = await operator.send("DELETE", "/scopes/sales/leases?all=true&dry_run=true");
  done.revoked = await operator.send("DELETE", `/scopes/sales/leases?lease_id=${done.nightly.json.lease_id}`);

  const last = String(done.revoked.headers["x-amzn-requestid"]);
  records = await untilSeen(() => {
    const lines = stand.broker.logs().map((line) => line.slice(line.indexOf(" ") + 1));
    const seen = lines.filter(isAuditRecord);
    return seen.some((line) => line.includes(last)) && seen;
  }, "the last request's record");
}, startsWithinMs);
afterAll(() => stand?.stop());

function answerOf(name: string, values: Record<string, string> = {}) {
  const question = savedQueries.find((each) => each.name === name) as SavedQuery;
  const flags = Object.fromEntries(Object.entries(values).map(([key, value]) => [flagOf(key), value]));
  return asObjects(ask(filledQuery({ ...question, logGroups: [] }, flags), records, Date.now()));
}

const leaseOf = (answer: Answer | undefined) => answer?.json.lease_id as string;
const requestOf = (answer: Answer | undefined) => String(answer?.headers["x-amzn-requestid"]);
const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);

test("everything that was done has come to its end as the questions' answers will have it", () => {
  expect(Object.entries(done).map(([what, { status }]) => [what, status])).toEqual([
    ["reports", 200],
    ["reportsAgain", 200],
    ["session", 200],
    ["overtakenBy", 202],
    ["overtaken", 503],
    ["nightly", 200],
    ["denied", 403],
    ["finance", 200],
    ["frozen", 200],
    ["refused", 403],
    ["unfrozen", 200],
    ["failed", 503],
    ["dryRun", 200],
    ["revoked", 202],
  ]);
});

test("the records are what the schema says, and no larger than what CloudWatch discovers fields in", () => {
  for (const line of records) {
    mustBeRecord(JSON.parse(line));
    expect(line.match(/":/g)?.length).toBeLessThan(mostFields);
  }
});

test("who got this token: each place that it was given to", () => {
  const sha256 = createHash("sha256").update(done.reports?.json.access_token).digest("hex");
  expect(answerOf("who-got-this-token", { token_sha256: sha256 })).toEqual([
    {
      scope: "sales",
      lease_id: leaseOf(done.reports),
      client_id: clientIds.sales,
      "caller.arn": role("report-service"),
      "caller.unique_id": expect.stringMatching(/^AROA/),
      session: null,
      "caller.session_name": expect.any(String),
      source_ip: "127.0.0.1",
      kind: "audit",
      times_given: 2,
      first_seen: aTime,
      last_seen: aTime,
      dead_by: aTime,
    },
    expect.objectContaining({ kind: "mint", lease_id: leaseOf(done.reports), times_given: 0 }),
  ]);
  const ofSession = createHash("sha256").update(done.session?.json.access_token).digest("hex");
  expect(
    answerOf("who-got-this-token", { token_sha256: ofSession }).map((row) => [row.kind, row.session]),
  ).toEqual([
    ["audit", session],
    ["mint", null],
  ]);
  expect(answerOf("who-got-this-token", { token_sha256: "0".repeat(64) })).toEqual([]);
});

test("is this lease dead: confirmed for the one, not for the other", () => {
  const kinds = (answer: Answer | undefined) =>
    answerOf("is-this-lease-dead", { lease_id: leaseOf(answer) }).map(({ kind, verb, outcome }) => [
      kind,
      verb,
      outcome,
    ]);
  expect(kinds(done.finance)).toEqual([
    ["audit", "token", "minted"],
    ["mint", "token", null],
    ["lease_end", "freeze", null],
  ]);
  expect(kinds(done.nightly)).toEqual([
    ["audit", "token", "minted"],
    ["mint", "token", null],
    ["audit", "revoke", "revoked"],
  ]);
  const [end] = answerOf("is-this-lease-dead", { lease_id: leaseOf(done.finance) }).slice(-1);
  expect(end).toMatchObject({ first: aTime, records: 1, last_request: requestOf(done.frozen) });
});

test("who holds tokens now: those whose end Looker has not confirmed, equal to Looker's own list", () => {
  const held = answerOf("who-holds-tokens-now");
  expect(
    held.map(({ holder, holder_session, lease_id }) => [holder, holder_session, lease_id]).sort(),
  ).toEqual(
    [
      [role("report-service"), null, leaseOf(done.reports)],
      [role("report-service"), session, leaseOf(done.session)],
      [role("nightly-job"), null, leaseOf(done.nightly)],
    ].sort(),
  );
  expect(held).toHaveLength(stand.broker.looker?.liveTokens().length ?? -1);
});

test("who holds tokens now: nobody, when Looker's tokens are over", () => {
  const { query } = savedQueries.find(({ name }) => name === "who-holds-tokens-now") as SavedQuery;
  expect(ask(query, records, Date.now() + 2 * 3_600_000).rows).toEqual([]);
});

test("what did this caller do: its requests, the latest first", () => {
  const rows = answerOf("what-did-this-caller-do", { caller: role("nightly-job") });
  expect(
    rows.map(({ verb, scope, code, reason, lease_id }) => [verb, scope, code, reason, lease_id]),
  ).toEqual([
    ["token", "finance", "not_allowed", "not_in_callers", null],
    ["token", "sales", "ok", null, leaseOf(done.nightly)],
    ["token", "sales", "busy", null, null],
    ["logout", "sales", "ok", null, null],
  ]);
});

test("what happened to this request: the list that refused it, and what is in that list", () => {
  expect(answerOf("what-happened-to-this-request", { request_id: requestOf(done.denied) })).toEqual([
    expect.objectContaining({
      verb: "token",
      code: "not_allowed",
      reason: "not_in_callers",
      lock: "callers",
      allowed: `"${role("finance-service")}"`,
      "caller.arn": role("nightly-job"),
    }),
  ]);
});

test("who revoked or froze: the operator, with what came of each", () => {
  const rows = answerOf("who-revoked-or-froze");
  expect(
    rows.map(({ verb, outcome, scope, named_by, matched, revoked, pending }) => [
      ...[verb, outcome, scope, named_by],
      ...[matched, revoked, pending],
    ]),
  ).toEqual([
    ["revoke", "revoked", "sales", '"lease_id"', 1, 0, 1],
    ["revoke", "counted", "sales", '"all"', 3, null, null],
    ["unfreeze", "unfrozen", "finance", null, null, null, null],
    ["freeze", "frozen", "finance", null, 1, 1, 0],
  ]);
  expect(new Set(rows.map((row) => row["caller.arn"]))).toEqual(new Set([role("platform-engineer")]));
});

test("tokens of a client id: those that are not confirmed dead come first", () => {
  const leases = (scope: "sales" | "finance") =>
    answerOf("tokens-of-a-client-id", { client_id: clientIds[scope] }).map(
      ({ lease_id, holder, holder_session, times_given, confirmed_ends }) => [
        ...[lease_id, holder, holder_session],
        ...[times_given, confirmed_ends],
      ],
    );
  const sales = leases("sales");
  expect(sales.slice(0, 3)).toEqual(
    expect.arrayContaining([
      [leaseOf(done.reports), role("report-service"), null, 2, 0],
      [leaseOf(done.session), role("report-service"), session, 1, 0],
      [leaseOf(done.nightly), role("nightly-job"), null, 1, 0],
    ]),
  );
  // Looker made it, and confirmed its end; nobody was given it.
  expect(sales.slice(3)).toEqual([[expect.any(String), null, null, 0, 1]]);
  expect(leases("finance")).toEqual([[leaseOf(done.finance), role("finance-service"), null, 1, 1]]);
});

test("who is denied, and by which list", () => {
  expect(answerOf("who-is-denied")).toEqual([
    {
      "caller.arn": role("nightly-job"),
      scope: "finance",
      verb: "token",
      reason: "not_in_callers",
      lock: "callers",
      refusals: 1,
      addresses: 1,
      first: aTime,
      last: aTime,
      last_request: requestOf(done.denied),
    },
  ]);
});

test("who causes logins: as many as Looker has seen", () => {
  const rows = answerOf("who-causes-logins");
  const logins = rows.reduce((sum, row) => sum + Number(row.logins_at_looker), 0);
  expect(logins).toBe(stand.broker.looker?.ledger().filter(({ event }) => event === "login").length);
  expect(
    rows
      .map((row) => [row["caller.arn"], row.logins_tried, row.logins_at_looker, row.leases, row.sessions])
      .sort(),
  ).toEqual([
    // One failed at Looker.
    [role("finance-service"), 2, 1, 1, 0],
    [role("nightly-job"), 2, 2, 2, 0],
    [role("report-service"), 2, 2, 2, 1],
  ]);
});

test("what goes wrong: each failure, with its reason and a request to ask about", () => {
  const rows = answerOf("what-goes-wrong").filter(({ code }) => code !== "ok");
  expect(
    rows.map(({ code, scope, requests, last_request }) => [code, scope, requests, last_request]).sort(),
  ).toEqual([
    ["busy", "sales", 1, requestOf(done.overtaken)],
    ["looker_unavailable", "finance", 1, requestOf(done.failed)],
    ["not_allowed", "finance", 1, requestOf(done.denied)],
    ["scope_frozen", "finance", 1, requestOf(done.refused)],
  ]);
});

test("do logins work: the latest of each scope comes first, with what Looker says", () => {
  const rows = answerOf("do-logins-work");
  expect(rows.map(({ scope, mint_failure, requests }) => [scope, mint_failure, requests])).toEqual([
    ["finance", "looker_unavailable", 1],
    ["finance", null, 1],
    ["sales", null, 4],
  ]);
  expect(rows[0]).toMatchObject({ why: "login_failed_status_500", last_request: requestOf(done.failed) });
});

test("does the sweeper run: each sweep so far, by how it ended", async () => {
  await stand.broker.runSchedules("sweep");
  const lines = await untilSeen(() => {
    const all = stand.broker.logs().map((line) => line.slice(line.indexOf(" ") + 1));
    return all.some((line) => line.includes('"verb":"sweep"')) && all.filter(isAuditRecord);
  }, "the sweep's record");
  const { query } = savedQueries.find(({ name }) => name === "does-the-sweeper-run") as SavedQuery;
  const [row] = asObjects(ask(query, lines, Date.now()));
  expect(row).toMatchObject({ code: "ok", last: aTime, sweeps: expect.any(Number) });
});
