import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { leaseOf } from "../../../test/support/cli/fake-broker.ts";
import { painter } from "../../src/colour.ts";
import { brokerFindings } from "../../src/status/broker-findings.ts";
import type { Finding } from "../../src/status/finding.ts";
import { type Status, statusText } from "../../src/status/status-text.ts";

const plain = painter({}, {});
const now = Date.parse("2026-11-24T13:00:00Z");
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
const swept: Finding = { what: "sweeper", text: "last run", since: ago(1), wrong: false };
const text = (more: Partial<Status> = {}, paint = plain) =>
  statusText(
    { stack: "broker", region: "us-east-1", askedAt: now, findings: [swept], unseen: [], notes: [], ...more },
    paint,
  );

test("where nothing is wrong, one line says so, and the next when the sweeper ran", () => {
  expect(text()).toBe("broker in us-east-1: nothing is wrong\nsweeper   last run 1m 0s ago\n");
});

test("what could not be seen is not called right", () => {
  const unseen = [{ what: "alarms", code: "access_denied", message: "AWS refused it.", exitCode: 3 }];
  expect(text({ unseen })).toBe(`\
broker in us-east-1: nothing wrong was seen, but not all could be looked at
not seen  alarms: AWS refused it.
sweeper   last run 1m 0s ago
`);
});

test("scopes are told with who froze them and why, with their pending logouts and their findings", () => {
  const findings = brokerFindings(
    [
      {
        scope: "sales",
        frozen: { by: "arn:aws:iam::111122223333:role/operator", at: ago(12), reason: "incident 42" },
        account: { checked_at: ago(60), findings: ["all_models"] },
        leases: [
          leaseOf("one"),
          leaseOf("two", { state: "pending", issued_at: ago(9), token_ends_at: ago(-51) }),
          leaseOf("three", { state: "pending", issued_at: ago(14), token_ends_at: ago(-46) }),
        ],
      },
      { scope: "finance", leases: [leaseOf("four")] },
    ],
    now,
  );
  expect(text({ findings })).toBe(`\
broker in us-east-1: 3 things are wrong
frozen    sales: 12m 0s ago by operator: incident 42
pending   sales: 2 logouts are not confirmed, may work for 51m 0s, the oldest
          lease began 14m 0s ago (runbook: pending-logouts)
account   sales: 1 finding: all_models (runbook: account-findings)
`);
});

test("it fits one screen of 80 columns and 24 lines, however much is wrong, with colours too", () => {
  const findings = Array.from(
    { length: 200 },
    (_, n): Finding => ({
      what: "frozen",
      subject: `scope-${n}`,
      text: `by somebody: ${"reason".repeat(20)}\x1b[2J`,
      since: ago(n),
      wrong: true,
    }),
  );
  const shown = text({ findings }, painter({ isTTY: true }, {}));
  expect(shown).not.toContain("\x1b[2J");
  const lines = stripVTControlCharacters(shown).trimEnd().split("\n");
  expect(lines.length).toBeLessThan(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
  expect(lines.at(-1)).toMatch(/^… \d+ more lines: looker-token status --json has all\.$/);
});
