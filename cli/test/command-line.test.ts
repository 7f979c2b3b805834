import { expect, test } from "vitest";
import { parseCommandLine } from "../src/command-line.ts";
import { type CommandName, synopses } from "../src/synopses.ts";

test.each([
  ["no words", []],
  ["--help", ["--help"]],
  ["-h", ["-h"]],
  ["help", ["help"]],
])("%s asks for the general help", (_, args) => {
  expect(parseCommandLine(args)).toEqual({ kind: "help" });
});

test.each([
  ["--help behind a command", ["revoke", "--help"]],
  ["-h behind a command and its options", ["revoke", "--scope", "sales", "-h"]],
  ["help in front of a command", ["help", "revoke"]],
])("%s asks for the command's help", (_, args) => {
  expect(parseCommandLine(args)).toEqual({ kind: "help", command: "revoke" });
});

test("what stands behind -- is the command of exec, whatever it looks like", () => {
  const parsed = parseCommandLine([
    "exec",
    "--scope",
    "sales",
    "--",
    "sh",
    "-c",
    "echo --help",
    "--",
    "--json",
  ]);
  expect(parsed).toMatchObject({
    command: "exec",
    values: { scope: "sales" },
    operands: ["sh", "-c", "echo --help", "--", "--json"],
  });
});

test("a value that begins with a dash is given with =", () => {
  expect(parseCommandLine(["freeze", "--reason=-", "--scope", "sales"])).toMatchObject({
    values: { reason: "-", scope: "sales" },
  });
});

test.each([
  ["there is no such command", ["frob"], /There is no command frob: there are get, exec/],
  ["the command is one of Object's own", ["constructor"], /There is no command constructor/],
  ["an option comes first", ["--scope", "sales", "get"], /The command comes first/],
  ["the option is unknown", ["get", "--frobnicate"], /'--frobnicate'; `looker-token get --help`/],
  ["the option is another command's", ["get", "--caller", "x"], /'--caller'/],
  ["a value is missing", ["get", "--scope"], /--scope/],
  ["a switch is given a value", ["get", "--json=no"], /--json/],
  ["there is a stray word", ["get", "sales"], /sales/],
  [
    "an option is given twice",
    ["revoke", "--lease-id", "a", "--lease-id", "b"],
    /--lease-id is given more than once/,
  ],
  ["a value is empty, as of an unset variable", ["revoke", "--caller", ""], /--caller is empty/],
  ["exec has no command", ["exec", "--scope", "sales"], /behind --/],
  ["exec has nothing behind --", ["exec", "--scope", "sales", "--"], /behind --/],
  ["another command has something behind --", ["get", "--", "x"], /get takes nothing behind --/],
])("refuses it when %s", (_, args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});

const examples = (Object.keys(synopses) as CommandName[]).flatMap((name) =>
  synopses[name].examples.map((example): [CommandName, string] => [name, example]),
);

test.each(examples)("the help of %s shows an example that is understood: %s", (name, example) => {
  const [, own = ""] = /looker-token ([^|)]*)/.exec(example) ?? [];
  const words = [...own.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  expect(parseCommandLine(words.map((word) => word.replace(/"$/, "")))).toMatchObject({
    kind: "run",
    command: name,
  });
});
