import { expect, test } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { groupsOf, parseQuery } from "../../../local/insights/parse.ts";
import { loginFindings, rotationFindings, sweeperFindings } from "../../src/status/record-findings.ts";

const now = Date.parse("2026-11-24T13:00:00Z");
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();

test("a scope whose latest login failed is wrong, and one that was mended since is not", () => {
  const rejected = {
    scope: "sales",
    mint_failure: "looker_rejected_credentials",
    why: "login_rejected",
    requests: "2",
  };
  const works = { scope: "sales", requests: "9" };
  expect(
    loginFindings([
      { ...works, last: ago(9) },
      { ...rejected, last: ago(1) },
    ]),
  ).toEqual([
    {
      what: "logins",
      subject: "sales",
      text: "looker_rejected_credentials (login_rejected), 2 requests",
      lead: "the last",
      since: ago(1),
      wrong: true,
      runbook: "rejected-credentials",
    },
  ]);
  expect(
    loginFindings([
      { ...rejected, last: ago(9) },
      { ...works, last: ago(1) },
    ]),
  ).toEqual([]);
});

test.each<[string, Parameters<typeof sweeperFindings>, { wrong: boolean; text: string }]>([
  ["ran a minute ago", [[{ code: "ok", last: ago(1) }], now, 0], { wrong: false, text: "last run" }],
  ["ran six minutes ago", [[{ code: "ok", last: ago(6) }], now, 0], { wrong: true, text: "last run" }],
  [
    "fails since it last ran",
    [
      [
        { code: "ok", last: ago(2) },
        { code: "internal", last: ago(1) },
      ],
      now,
      0,
    ],
    { wrong: true, text: "the last run failed (internal)" },
  ],
  [
    "failed before it last ran",
    [
      [
        { code: "internal", last: ago(2) },
        { code: "ok", last: ago(1) },
      ],
      now,
      0,
    ],
    { wrong: false, text: "last run" },
  ],
  ["did not run", [[], now, 0], { wrong: true, text: "no run in the past 15m" }],
  [
    "did not run in a new stack",
    [[], now, now - 60_000],
    { wrong: false, text: "has not run yet: the stack is new" },
  ],
])("a sweeper that %s", (_, given, expected) => {
  expect(sweeperFindings(...given)).toEqual([expect.objectContaining(expected)]);
});

const step = (name: string, minutes: number, more: object = {}) => ({
  secret: "looker/sales",
  step: name,
  outcome: "done",
  time: ago(minutes),
  client_id: "new",
  ...more,
});
type Rows = Parameters<typeof rotationFindings>[0];
const checked: Rows = [{ overdue_now: "0", unretired_now: "0" }];
const told = (steps: Rows, onTime: Rows, at: number, createdAt = 0) =>
  rotationFindings(steps, onTime, at, createdAt).map(({ text, wrong }) => [text, wrong]);

test("of a secret's rotation the latest step counts", () => {
  expect(told([step("finishSecret", 1), step("testSecret", 2, { outcome: "failed" })], checked, now)).toEqual(
    [],
  );
  expect(told([step("setSecret", 1)], checked, now)).toEqual([["running, setSecret was done", false]]);
  expect(told([step("setSecret", 61)], checked, now)).toEqual([["stopped after setSecret", true]]);
  const failed = { outcome: "failed", reason: "needs_administrator" };
  expect(told([step("setSecret", 1, failed), step("createSecret", 2)], checked, now)).toEqual([
    ["setSecret failed (needs_administrator)", true],
  ]);
});

test("an old pair is told about until it is deleted", () => {
  const retire = (outcome: string, minutes: number, more: object = {}) =>
    step("retire", minutes, { outcome, client_id: "old", ...more });
  expect(told([retire("denied", 1)], checked, now)).toEqual([["retiring the pair old, denied", false]]);
  expect(told([retire("deleted", 1), retire("denied", 9)], checked, now)).toEqual([]);
  expect(
    told([retire("failed", 1, { reason: "looker_unavailable" }), retire("denied", 9)], checked, now),
  ).toEqual([["an old pair could not be deleted (looker_unavailable)", true]]);
});

test("a check that stopped hides no overdue rotation: its silence is told", () => {
  expect(told([], [], now)).toEqual([
    ["the check for overdue rotations and old pairs had no run in the past 15m", true],
  ]);
  expect(told([], [], now, now - 60_000)).toEqual([]);
});

test("overdue secrets and unretired pairs are wrong", () => {
  expect(told([], [{ overdue_now: "0", unretired_now: "0" }], now)).toEqual([]);
  expect(told([], [{ overdue_now: "1", unretired_now: "2" }], now)).toEqual([
    ["overdue by two days, or switched off", true],
    ["replaced two days ago, and perhaps still at Looker", true],
  ]);
});

test.each<[string, string[]]>([
  ["do-logins-work", ["scope", "mint_failure", "why", "requests", "last"]],
  ["does-the-sweeper-run", ["code", "reason", "last"]],
  ["what-did-rotation-do", ["secret", "step", "outcome", "reason", "client_id", "time"]],
  ["is-rotation-on-time", ["overdue_now", "unretired_now"]],
])("%s has the columns that status reads", (name, columns) => {
  const { query = "" } = savedQueries.find((each) => each.name === name) ?? {};
  const shown = parseQuery(query).flatMap((command) => {
    if (command.kind === "display") return command.names;
    if (command.kind === "stats") return [...command.by, ...command.aggregates.map(({ as }) => as)];
    return command.kind === "parse" ? groupsOf(command.pattern) : [];
  });
  expect(shown).toEqual(expect.arrayContaining(columns));
});
