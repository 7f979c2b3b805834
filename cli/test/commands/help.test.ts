import { expect, test } from "vitest";
import { commandHelp, generalHelp } from "../../src/commands/help.ts";
import { options, shownOption } from "../../src/options.ts";
import { type CommandName, synopses } from "../../src/synopses.ts";

const plain = (_: string, text: string) => text;
const names = Object.keys(synopses) as CommandName[];

test("the general help names every command, the exit codes and examples", () => {
  const text = generalHelp(plain);
  for (const name of names) expect(text).toMatch(new RegExp(`^  ${name} +${synopses[name].summary}$`, "m"));
  expect(text).toMatch(
    /0 done.*2 wrong usage.*3 refused.*4 unavailable.*5 not certainly dead.*6 the output/s,
  );
  expect(text).toContain("looker-token exec --scope sales -- ./nightly-report.sh");
});

test.each(names)("the help of %s explains each of its options, and has examples", (name) => {
  const text = commandHelp(name, plain);
  const words = text.replace(/\s+/g, " ");
  for (const option of [...synopses[name].options, "json", "local", "help"] as const)
    expect(words).toContain(` ${shownOption(option)} ${options[option].help} `);
  for (const example of synopses[name].examples) expect(text).toContain(`\n  ${example}\n`);
});

test.each(names)("the help of %s fits into 80 columns, but for examples that are longer", (name) => {
  const [text = ""] = commandHelp(name, plain).split("\nExamples\n");
  const widest = Math.max(...text.split("\n").map((line) => line.length));
  expect(widest).toBeLessThanOrEqual(80);
});

test("the general help fits into 80 columns, but for its examples", () => {
  const [before = "", after = ""] = generalHelp(plain).split(/^Examples\n(?: {2}.*\n)+/m);
  const widest = Math.max(...`${before}${after}`.split("\n").map((line) => line.length));
  expect(widest).toBeLessThanOrEqual(80);
});
