/**
 * A day with its incidents, on a whole local broker. Then who got which token, what was refused and why, and what is dead,
 * are answered from the records alone, and compared with what callers have in their hands and with Looker's own ledger.
 */
import { beforeAll, expect, test } from "vitest";
import type { AuditLine, LeaseEndLine } from "../../functions/http/audit-record.ts";
import { mustBeRecord } from "../support/audit/schema.ts";
import {
  type Answer,
  type Caller,
  callerOf,
  clientSecretOf,
  openFirstLock,
  records,
  sharedStand,
  untilSeen,
} from "../support/broker-stand.ts";
import { sha256 } from "../support/held-tokens.ts";

const stand = sharedStand();
let reports: Caller;
let nightly: Caller;
let finance: Caller;
let engineer: Caller;
/** Every answer that anybody got, in order. */
const answers: { who: Caller; answer: Answer }[] = [];

/** What callers were handed: SHA-256 of the token → the caller's unique id. */
const handedOut = new Map<string, string>();

async function asks(who: Caller, request: Promise<Answer>): Promise<Answer> {
  const answer = await request;
  answers.push({ who, answer });
  if (typeof answer.json?.access_token === "string")
    handedOut.set(sha256(answer.json.access_token), who.principal.caller.split(":")[0] ?? "");
  return answer;
}
const token = (who: Caller, scope = "sales", body?: object) => asks(who, who.token(scope, body));
const logout = (who: Caller, body?: object, scope = "sales") => asks(who, who.logout(scope, body));
const operate = (method: string, path: string, body?: string) =>
  asks(engineer, engineer.send(method, `/scopes/${path}`, body));

beforeAll(() => {
  [reports, nightly, finance, engineer] = [
    callerOf(stand, "report-service"),
    callerOf(stand, "nightly-job"),
    callerOf(stand, "finance-service"),
    callerOf(stand, "platform-engineer"),
  ];
  // What a service with too wide an IAM policy of its own could send.
  openFirstLock(stand.broker, finance.principal);
});

test("the day", async () => {
  // Morning: services fetch, most of them what is there already.
  for (let i = 0; i < 3; i++) {
    expect((await token(reports)).status).toBe(200);
    expect((await token(finance, "finance")).status).toBe(200);
  }
  await Promise.all(Array.from({ length: 8 }, () => token(reports)));
  // The scheduled job: a token, its work, its end.
  const job = await token(nightly);
  expect((await logout(nightly, { lease_id: job.json.lease_id })).json).toEqual({ revoked: 1, pending: 0 });
  // A service in the wrong scope, and a request that is none.
  expect((await token(finance, "sales")).status).toBe(403);
  expect((await token(reports, "sales", { min_ttl_seconds: "soon" })).status).toBe(400);

  // An incident: one service's token has leaked.
  const { callerArn } = reports.principal;
  const caller = encodeURIComponent(callerArn);
  expect((await operate("DELETE", `sales/leases?caller=${caller}&dry_run=true`)).json).toEqual({
    matched: 1,
  });
  expect((await operate("DELETE", `sales/leases?caller=${caller}`)).json).toEqual({
    matched: 1,
    revoked: 1,
    pending: 0,
  });
  expect((await token(reports)).status).toBe(200);

  // It was more than one: the scope is frozen while Looker's logout does not work.
  await token(nightly);
  stand.looker.control.addFault({ route: "logout", kind: "status", status: 500 });
  stand.looker.control.addFault({ route: "user", kind: "status", status: 500 });
  const frozen = await operate("PUT", "sales/freeze", JSON.stringify({ reason: "incident 42" }));
  expect([frozen.status, frozen.json.matched, frozen.json.revoked, frozen.json.pending]).toEqual([
    202, 2, 0, 2,
  ]);
  expect((await token(reports)).json.code).toBe("scope_frozen");
  expect((await operate("GET", "sales/leases")).json.leases).toHaveLength(2);
  // Looker recovers, and the sweeper ends what was left.
  stand.looker.control.clearFaults();
  await untilSeen(
    async () => {
      await stand.broker.runSchedules("sweep");
      return (await operate("GET", "sales/leases")).json.leases.length === 0;
    },
    "the sweep that ends what the freeze left",
    60_000,
  );
  expect((await operate("DELETE", "sales/freeze")).status).toBe(200);

  // Looker fails: down, then a login of which nobody knows the end, then well again.
  stand.looker.control.addFault({ route: "login", kind: "status", status: 503, times: 1 });
  expect((await token(reports)).json.code).toBe("looker_unavailable");
  stand.looker.control.addFault({ route: "login", kind: "reset", when: "after", times: 1 });
  expect((await token(nightly)).json.code).toBe("looker_unavailable");
  await untilSeen(async () => (await token(reports)).status === 200, "a Looker that is well again", 20_000);
  await untilSeen(async () => (await token(nightly)).status === 200, "and for the other service", 20_000);

  // The secret of another scope is changed at Looker only.
  await logout(finance, undefined, "finance");
  const { client_id } = await clientSecretOf(stand.broker, "looker/finance");
  stand.looker.control.changeSecret(client_id, "changed-at-looker-only");
  expect((await token(finance, "finance")).json.code).toBe("looker_rejected_credentials");
}, 180_000);

function all(): { audit: AuditLine[]; ends: LeaseEndLine[] } {
  const lines = records(stand.broker);
  return {
    audit: lines.filter(({ kind }) => kind === "audit"),
    ends: lines.filter(({ kind }) => kind === "lease_end"),
  };
}

test("there is one record for each answer, with its code, and each is what the schema says", async () => {
  const { audit } = await untilSeen(() => {
    const lines = all();
    return lines.audit.filter(({ verb }) => verb !== "sweep").length >= answers.length && lines;
  }, "all records");
  for (const line of [...all().audit, ...all().ends]) mustBeRecord(line);
  const told = new Map(audit.map((line) => [line.request_id, line]));
  expect(told.size).toBe(audit.length);
  for (const { who, answer } of answers) {
    const line = told.get(String(answer.headers["x-amzn-requestid"] ?? answer.json.request_id));
    expect(line).toMatchObject({
      status: answer.status,
      code: answer.status < 300 ? "ok" : answer.json.code,
      caller: { arn: who.principal.callerArn },
    });
    // The caller did not hear why; the record says it.
    if (answer.json?.code === "not_allowed")
      expect(line).toMatchObject({
        reason: "not_in_callers",
        lock: "callers",
        patterns: expect.arrayContaining(["arn:aws:iam::111122223333:role/report-service"]),
      });
  }
});

test("who got which token: the records and the callers' own hands agree", () => {
  const recorded = new Map(
    all().audit.flatMap(({ token_sha256, caller }) =>
      token_sha256 === undefined ? [] : [[token_sha256, caller?.unique_id]],
    ),
  );
  expect(recorded).toEqual(handedOut);
});

test("what Looker made and ended: the records and its ledger agree", () => {
  const { audit } = all();
  const sum = (field: "logins" | "logouts" | "possible_orphans") =>
    audit.reduce((total, line) => total + (line[field] ?? 0), 0);
  const ledger = stand.looker.control.ledger();
  const made = ledger.filter(({ event, fault }) => event === "login" && fault === undefined);
  const lost = ledger.filter(({ event, fault }) => event === "login" && fault !== undefined);
  const ended = ledger.filter(({ event }) => event === "logout");
  expect({ logins: sum("logins"), logouts: sum("logouts"), orphans: sum("possible_orphans") }).toEqual({
    logins: made.length,
    logouts: ended.length,
    orphans: lost.length,
  });
  expect(lost).toHaveLength(1);
});

test("what is dead and what is alive now: the records and Looker agree, token by token", () => {
  const { audit, ends } = all();
  const tokenOf = new Map(
    audit.flatMap(({ lease_id, token_sha256 }) =>
      lease_id !== undefined && token_sha256 !== undefined ? [[lease_id, token_sha256]] : [],
    ),
  );
  const dead = new Set(ends.map(({ lease_id }) => tokenOf.get(lease_id)));
  const endedAtLooker = stand.looker.control
    .ledger()
    .flatMap(({ event, tokenSha256 }) => (event === "logout" ? [tokenSha256] : []));
  expect(dead).toEqual(new Set(endedAtLooker));
  const alive = new Set([...handedOut.keys()].filter((hash) => !dead.has(hash)));
  const lost = stand.looker.control
    .ledger()
    .flatMap(({ event, fault, tokenSha256 }) =>
      event === "login" && fault !== undefined ? [tokenSha256] : [],
    );
  const liveAtLooker = stand.looker.control.liveTokens().map(({ sha256 }) => sha256);
  // The one that nobody holds is in no record but by its number.
  expect(alive).toEqual(new Set(liveAtLooker.filter((hash) => !lost.includes(hash))));
});

test("who ended what: each end leads to the request, and the person, behind it", () => {
  const { audit, ends } = all();
  for (const end of ends) {
    const cause = audit.find(({ request_id }) => request_id === end.request_id);
    expect(cause?.verb).toBe(end.verb);
    if (end.verb !== "sweep")
      expect(cause?.caller?.arn).toMatch(/role\/(?:platform-engineer|nightly-job|finance-service)$/);
  }
  expect(new Set(ends.map(({ verb }) => verb))).toEqual(new Set(["logout", "revoke", "sweep"]));
});
