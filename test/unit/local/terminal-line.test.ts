import { expect, test } from "vitest";
import { terminalLine } from "../../../local/terminal-line.ts";

const arn = "arn:aws:iam::111122223333:role/report-service";
const time = "2026-11-28T13:20:40.597Z";
const common = { time, broker: "looker-token-broker/Broker", request_id: "a39a27e5", verb: "token" };
const request = {
  ...common,
  kind: "audit",
  scope: "sales",
  caller: { account: "111122223333", unique_id: "AROAAWLKGWJZJMR6G235W", arn },
  code: "ok",
  status: 200,
  duration_ms: 101,
};

const shown = (record: object) => terminalLine("issue-token", 1, JSON.stringify(record));

test("a request is one line with time, verb, scope, status, caller, duration and result", () => {
  expect(shown({ ...request, outcome: "minted" })).toBe(
    "13:20:40Z  token    sales     200  report-service    101 ms  minted",
  );
});

test("a refusal says its code and its reason", () => {
  expect(
    shown({ ...request, code: "looker_unavailable", reason: "login_unknown_timeout", status: 503 }),
  ).toBe(
    "13:20:40Z  token    sales     503  report-service    101 ms  looker_unavailable: login_unknown_timeout",
  );
});

test("a revocation says how many are dead, and how many are not", () => {
  const counts = { matched: 3, revoked: 2, pending: 1 };
  expect(shown({ ...request, verb: "revoke", status: 202, outcome: "revoked", ...counts })).toContain(
    "revoked: 2 dead, 1 pending",
  );
});

test("a served lease with a failed renewal names the failure", () => {
  expect(shown({ ...request, outcome: "hit", mint_failure: "looker_unavailable" })).toContain(
    "hit: looker_unavailable",
  );
});

test("only a sweep with work has a line", () => {
  const { scope: _, caller: __, status: ___, ...sweep } = { ...request, verb: "sweep", outcome: "swept" };
  expect(shown({ ...sweep, logouts: 0, pending: 0 })).toBeUndefined();
  expect(shown({ ...sweep, logouts: 2, pending: 0 })).toContain("swept: 2 logged out");
  expect(shown({ ...sweep, code: "internal" })).toContain("internal");
});

test("further records of a request have no line of their own", () => {
  expect(shown({ ...common, kind: "mint", scope: "sales", lease_id: "l" })).toBeUndefined();
  expect(shown({ ...common, kind: "lease_end", scope: "sales", lease_id: "l" })).toBeUndefined();
});

test("a checked account and a step of a rotation have a line each", () => {
  expect(shown({ ...common, kind: "account_check", scope: "sales", findings: ["admin_account"] })).toBe(
    "13:20:40Z  account  sales  admin_account",
  );
  expect(shown({ ...common, kind: "account_check", scope: "sales", findings: [] })).toContain("no findings");
  const step = { step: "createSecret", secret: "looker/sales", outcome: "failed", reason: "too_many_pairs" };
  expect(shown({ ...common, kind: "rotation", ...step })).toBe(
    "13:20:40Z  rotate   looker/sales  createSecret  failed  too_many_pairs",
  );
});

test("a warning of Node is shown whole, with its function in front", () => {
  const line = `TypeError: ${"x".repeat(200)}`;
  expect(terminalLine("sweep", 3, line)).toBe(`sweep#3 ${line}`);
});

test("the line of a successful request fits a row of 80 columns", () => {
  const worked = {
    ...request,
    verb: "revoke",
    outcome: "revoked",
    revoked: 12,
    pending: 0,
    duration_ms: 2_345,
  };
  expect(shown(worked)?.length).toBeLessThan(80);
});
