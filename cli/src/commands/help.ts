import type { Paint } from "../colour.ts";
import { type OptionName, options, shownOption } from "../options.ts";
import { type CommandName, commonOptionsOf, type Synopsis, synopses } from "../synopses.ts";
import { wrapped } from "../wrapped.ts";

export function generalHelp(paint: Paint): string {
  const names = Object.keys(synopses) as CommandName[];
  const width = Math.max(...names.map((name) => name.length));
  const list = (from: number, to: number) =>
    names.slice(from, to).map((name) => `  ${name.padEnd(width)} ${synopses[name].summary}`);
  const operators = names.indexOf("leases");
  return lines([
    "Looker access tokens from the token broker, with your own AWS credentials.",
    "",
    "  looker-token COMMAND [OPTION …]",
    "",
    paint("bold", "For callers"),
    ...list(0, operators),
    "",
    paint("bold", "For a scope's operators"),
    ...list(operators, names.length),
    "",
    paint("bold", "Examples"),
    "  export LOOKER_BROKER_ENDPOINT=https://abc123.execute-api.us-east-1.amazonaws.com/v1",
    "  looker-token exec --scope sales -- ./nightly-report.sh",
    "  looker-token revoke --scope sales --caller report-service",
    "  looker-token get --scope sales --local --as report-service",
    "  looker-token doctor --scope sales",
    "",
    paint("bold", "Exit codes"),
    "  0 done          1 you said no, or a defect                   2 wrong usage",
    "  3 refused       4 unavailable       5 not certainly dead: pending or unknown",
    "  6 the output could not be written   exec returns its command's code",
    "",
    "`looker-token COMMAND --help` explains a command.",
  ]);
}

export function commandHelp(name: CommandName, paint: Paint): string {
  const { summary, usage, options: own, examples, notes }: Synopsis = synopses[name];
  return lines([
    `${summary}.`,
    "",
    ...wrapped(`looker-token ${name} ${usage}`.trimEnd(), columns - 4).map((line, at) =>
      at === 0 ? `  ${line}` : `    ${line}`,
    ),
    "",
    ...optionLines([...own, ...commonOptionsOf(name)]),
    "",
    ...(notes ? paragraphs(notes) : []),
    paint("bold", "Examples"),
    ...examples.map((example) => `  ${example}`),
  ]);
}

const columns = 80;

function optionLines(names: readonly OptionName[]): string[] {
  const shown = names.map((name) => ({ option: shownOption(name), help: options[name].help }));
  const width = Math.max(...shown.map(({ option }) => option.length));
  const indent = " ".repeat(width + 4);
  return shown.map(({ option, help }) =>
    wrapped(help, columns - indent.length)
      .map((line, at) => (at === 0 ? `  ${option.padEnd(width)}  ${line}` : `${indent}${line}`))
      .join("\n"),
  );
}

/** Wraps each paragraph anew: its lines in the source do not count. */
const paragraphs = (text: string): string[] =>
  text.split("\n\n").flatMap((each) => [...wrapped(each.replaceAll("\n", " "), columns), ""]);

const lines = (each: readonly string[]) => each.map((line) => `${line}\n`).join("");
