import { expect, test } from "vitest";
import { runbookText } from "../../../test/support/runbook-document.ts";
import { rotatingScopes, synthesizedHere } from "../../../test/support/synthesized.ts";
import { alarmFindings } from "../../src/status/alarm-findings.ts";

test("each alarm of a stack is shown by the runbook's name for it, with the runbook's entry", () => {
  const [table = ""] = runbookText.split("\n## ");
  const alarms = synthesizedHere({ scopes: rotatingScopes }).ofType("AWS::CloudWatch::Alarm");
  expect(alarms.length).toBeGreaterThan(15);
  for (const [id, { Properties }] of alarms) {
    const since = new Date("2026-11-24T13:00:00Z");
    // As CloudFormation names them.
    const name = `looker-token-broker-${id}-1ABCDEFGHIJK`;
    const [finding] = alarmFindings({
      on: [{ name, description: Properties.AlarmDescription, since }],
      missing: [],
    });
    expect(finding).toMatchObject({ what: "alarm", wrong: true, since: "2026-11-24T13:00:00.000Z" });
    const { subject = "", runbook } = finding ?? {};
    const row = table.split("\n").find((line) => line.includes(`(#${runbook})`)) ?? "";
    const named = [...row.matchAll(/`(…?[A-Za-z]+)`/g)].map(([, each = ""]) => each);
    expect(
      named.some((each) => each === subject || (each.startsWith("…") && subject.endsWith(each.slice(1)))),
      `${subject}: ${row}`,
    ).toBe(true);
  }
});

test("an alarm with a name of its own keeps it", () => {
  expect(alarmFindings({ on: [{ name: "mine", description: "", since: undefined }], missing: [] })).toEqual([
    { what: "alarm", subject: "mine", text: "is on", lead: "since", wrong: true },
  ]);
});

test("a deleted alarm is not taken for one that is off", () => {
  const name = "looker-token-broker-AlarmsSweeperStopped1A2B3C4D-1ABCDEFGHIJK";
  expect(alarmFindings({ on: [], missing: [name] })).toEqual([
    {
      what: "alarm",
      subject: "SweeperStopped",
      text: "is not in CloudWatch: somebody has deleted it. Deploy the stack again",
      wrong: true,
    },
  ]);
});
