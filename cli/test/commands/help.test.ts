import { expect, test } from "vitest";
import { commandHelp, generalHelp } from "../../src/commands/help.ts";
import { type CommandName, synopses } from "../../src/synopses.ts";

const plain = (_: string, text: string) => text;
const names = Object.keys(synopses) as CommandName[];

test("the general help names every command, the exit codes and examples", () => {
  const text = generalHelp(plain);
  for (const name of names) expect(text).toMatch(new RegExp(`^  ${name} +${synopses[name].summary}$`, "m"));
  expect(text).toMatch(/0 done.*2 wrong usage.*3 refused.*4 unavailable.*5 not certainly dead/);
  expect(text).toContain("looker-token exec --scope sales -- ./nightly-report.sh");
});

test.each(names)("the help of %s explains each of its options, and has examples", (name) => {
  const text = commandHelp(name, plain);
  for (const option of [...synopses[name].options, "json", "local", "help"])
    expect(text).toMatch(new RegExp(`^  --${option}( [A-Z]+)?  +\\S`, "m"));
  for (const example of synopses[name].examples) expect(text).toContain(`\n  ${example}\n`);
});

test.each(names)("the help of %s fits into 120 columns", (name) => {
  const widest = Math.max(
    ...commandHelp(name, plain)
      .split("\n")
      .map((line) => line.length),
  );
  expect(widest).toBeLessThanOrEqual(120);
});
