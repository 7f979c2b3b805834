/** A scope's pattern that would be an expression to a matcher that made one of it: alternatives, anchors, classes. */
import { expect, it } from "vitest";
import { matchesGlob, parsePattern } from "../../functions/domain/pattern.ts";

const account = "arn:aws:iam::111122223333:role";

it.each([
  "report|hr",
  "(report|hr)",
  "^report$",
  "report$|^",
  "[a-z]report",
  "report{1,9}",
  "report\\w",
  ".",
])("%s either cannot be a pattern or means nothing but itself", (name) => {
  const parsed = parsePattern(`${account}/${name}`);
  if (!parsed.ok) return;
  expect(matchesGlob(parsed.pattern.name, name)).toBe(true);
  for (const other of ["report", "hr", "xreport", "a", ""]) {
    expect([other, matchesGlob(parsed.pattern.name, other)]).toEqual([other, false]);
  }
});

it.each([
  ["report.service", "report-service"],
  ["a+", "aa"],
  ["report-*", "my-report-service"],
  ["*-service", "report-services"],
  ["report-service", "report-service\n"],
])("%s does not match %j", (pattern, name) => {
  expect(matchesGlob(pattern, name)).toBe(false);
});
