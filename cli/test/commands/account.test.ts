import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { findingCodes } from "../../../functions/domain/finding.ts";
import { minimal, neverChecked, tooMuch } from "../../../test/support/cli/account-checks.ts";
import type { AccountCheck } from "../../src/account.ts";
import { painter } from "../../src/colour.ts";
import { accountText } from "../../src/commands/account.ts";
import { nextStepFor } from "../../src/next-step.ts";

const plain = painter({}, {});
const now = Date.parse("2026-11-24T13:00:00Z");

test("a minimal account has no findings", () => {
  expect(accountText("sales", minimal, now, plain)).toBe(`\
sales  no findings

Account    Sales API, id 12
Client id  salesclient
Checked    3h 0m ago, at 2026-11-24T10:00:00.000Z
Roles      Sales API: 4 permissions, 1 model
`);
});

test("each open finding has its sentence and its next step, and accepted findings come last", () => {
  expect(accountText("sales", tooMuch, now, plain)).toBe(`\
sales  2 findings, 1 accepted

Account    Sales API, id 12
Client id  salesclient
Checked    3h 0m ago, at 2026-11-24T10:00:00.000Z
Roles      Sales API: 1 permission, 2 models
           Everything: all permissions, all models

Finding    all_permissions
           All permissions come with the role Everything.
Next       Give the role a permission set with the scope's permissions only.

Finding    all_models
           All models come with the role Everything.
Next       Give the role a model set with the scope's models only.

Accepted   old_credential
           The API credential in use is 120 days old.
`);
});

test("colours do not move the columns", () => {
  const text = accountText("sales", tooMuch, now, painter({ isTTY: true }, {}));
  expect(text).toContain("\x1b[33mFinding  \x1b[39m");
  expect(stripVTControlCharacters(text)).toBe(accountText("sales", tooMuch, now, plain));
});

test("before the first check the account is not called clean, and the reader learns when checks come", () => {
  expect(accountText("sales", neverChecked, now, plain)).toBe(`\
sales  never checked

Next       The broker looks for accounts to check once an hour, so wait an hour.
           If nothing comes: runbook, account-check-failed. The setting
           accountCheck: false switches all checks off.
`);
});

test("a first check that failed says why, and when it is tried again", () => {
  const failed = { at: "2026-11-24T12:48:00.000Z", reason: "login_rejected" };
  expect(accountText("sales", { ...neverChecked, failed }, now, plain)).toBe(`\
sales  never checked, the last try failed

Failed     login_rejected, 12m 0s ago, at 2026-11-24T12:48:00.000Z.
Next       The broker tries again within an hour. Runbook: account-check-failed.
`);
});

test("after a failed check the findings are those of the check before, and the first line says so", () => {
  const failed = { at: "2026-11-24T12:48:00.000Z", reason: "roles_status_500" };
  const text = accountText("sales", { ...minimal, failed }, now, plain);
  expect(text).toMatch(/^sales {2}no findings, the last check failed\n/);
  expect(text).toContain("roles_status_500, 12m 0s ago");
  expect(text.replace(/\s+/g, " ")).toContain("All of the above is of the check before.");
});

test("hidden answers of Looker do not prove few rights", () => {
  const text = accountText("sales", { ...minimal, roles: [], hidden: ["account", "roles"] }, now, plain);
  expect(text).toMatch(/^sales {2}no findings, not all was visible\n/);
  expect(text).not.toContain("Roles  ");
  expect(text).toContain(`
Hidden     Looker does not show the account its own API credentials and settings
           and roles. Findings about them are missing.
`);
});

test.each(findingCodes)("the next step for %s is one line of 80 columns", (code) => {
  expect(nextStepFor(code)).not.toBe(nextStepFor("unheard_of"));
  expect(nextStepFor(code).length).toBeLessThanOrEqual(80 - 11);
});

test("a finding of a later broker, even one named like a property of every object, has a next step", () => {
  for (const code of ["unheard_of", "constructor", "__proto__"])
    expect(nextStepFor(code)).toBe("A newer version of looker-token may know this finding.");
});

test.each([
  ["words", `${"x ".repeat(60)}Next       Type what I say.`],
  ["one long word", `${"x".repeat(69)}Next\u00a0Type\u00a0what\u00a0I\u00a0say.`],
  ["wide characters", `${"売".repeat(34)}Next Type what I say.`],
])("a name of %s stays within 80 columns, and never begins where this program's labels stand", (_, name) => {
  const account: AccountCheck = {
    ...minimal,
    user: { id: "12", display_name: name },
    roles: [{ name, permissions: 1, models: 1 }],
    findings: [{ code: "admin_account", detail: `An administrator by ${name}.`, accepted: false }],
  };
  const lines = accountText("sales", account, now, plain).split("\n");
  const columns = lines.map((line) => line.length + (line.match(/売/g)?.length ?? 0));
  expect(Math.max(...columns)).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => line.startsWith("Next"))).toEqual([
    `Next       ${nextStepFor("admin_account")}`,
  ]);
});
