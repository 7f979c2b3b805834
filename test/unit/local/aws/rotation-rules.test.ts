import { describe, expect, it } from "vitest";
import { rotationRulesOf, windowAfter } from "../../../../local/aws/rotation-rules.ts";

/** A Wednesday. */
const from = Date.parse("2026-07-15T10:20:30Z") / 1000;
const iso = (seconds: number) =>
  new Date(seconds * 1000).toISOString().replace(":00.000Z", "").replace(".000Z", "");
const windowOf = (rules: object) => {
  const parsed = rotationRulesOf({ RotationRules: rules }, from);
  const window = parsed && windowAfter(parsed, from);
  return window && `${iso(window.opensAt)} to ${iso(window.closesAt)}`;
};

// The examples of https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
describe("a rotation window", () => {
  it.each([
    [{ AutomaticallyAfterDays: 30 }, "2026-08-14T00:00 to 2026-08-14T23:59:59"],
    [{ AutomaticallyAfterDays: 1, Duration: "3h" }, "2026-07-16T00:00 to 2026-07-16T02:59:59"],
    [{ ScheduleExpression: "rate(10 days)" }, "2026-07-25T00:00 to 2026-07-25T23:59:59"],
    [{ ScheduleExpression: "rate(1 day)" }, "2026-07-16T00:00 to 2026-07-16T23:59:59"],
    [{ ScheduleExpression: "rate(4 hours)" }, "2026-07-15T12:00 to 2026-07-15T12:59:59"],
    [{ ScheduleExpression: "rate(12 hours)", Duration: "2h" }, "2026-07-15T12:00 to 2026-07-15T13:59:59"],
    [{ ScheduleExpression: "cron(0 8 * * ? *)" }, "2026-07-16T08:00 to 2026-07-16T23:59:59"],
    [{ ScheduleExpression: "cron(0 0/8 * * ? *)" }, "2026-07-15T16:00 to 2026-07-15T16:59:59"],
    [{ ScheduleExpression: "cron(0 4/12 * * ? *)" }, "2026-07-15T16:00 to 2026-07-15T16:59:59"],
    [{ ScheduleExpression: "cron(0 8 1 * ? *)" }, "2026-08-01T08:00 to 2026-08-01T23:59:59"],
    [{ ScheduleExpression: "cron(0 1 ? 1/3 SUN,WED *)" }, "2026-07-19T01:00 to 2026-07-19T23:59:59"],
    [
      { ScheduleExpression: "cron(0 18 ? * MON-FRI *)", Duration: "1h" },
      "2026-07-15T18:00 to 2026-07-15T18:59:59",
    ],
    [{ ScheduleExpression: "cron(0 2 29 2 ? 2028)" }, "2028-02-29T02:00 to 2028-02-29T23:59:59"],
  ])("of %j is %s", (rules, window) => expect(windowOf(rules)).toBe(window));

  it.each([
    "rate(3 hours)",
    "rate(0 days)",
    "rate(1000 days)",
    "rate(5 minutes)",
    "cron(30 8 * * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 8 * * ?)",
    "cron(0 8 * ABC ? *)",
    "cron(0 8 ? * MON#1 *)",
    "cron(0 8 * * ? 2001)",
    "at(2026-07-15T10:00:00)",
  ])("of %s is refused", (ScheduleExpression) => {
    expect(() => windowOf({ ScheduleExpression })).toThrow("ScheduleExpression");
  });
});
