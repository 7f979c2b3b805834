import { expect, test } from "vitest";
import { parseCommandLine } from "../src/command-line.ts";
import { type CommandName, synopses } from "../src/synopses.ts";

test.each([
  ["no words", []],
  ["--help", ["--help"]],
  ["-h", ["-h"]],
  ["help", ["help"]],
  ["--help in front of an option, as from an alias that ends in --local", ["--help", "--local"]],
])("%s asks for the general help", (_, args) => {
  expect(parseCommandLine(args)).toEqual({ kind: "help" });
});

test.each(["--version", "-V"])("%s asks for the version", (word) => {
  expect(parseCommandLine([word])).toEqual({ kind: "version" });
});

test("a word that is not UTF-8 is refused, since another file or argument would be meant", () => {
  expect(() => parseCommandLine(["exec", "--scope", "sales", "--", "cat", "caf\ufffd"])).toThrow(
    "Word 6 of the command line is not UTF-8",
  );
});

test("local-env takes no endpoint, because it prints the local one", () => {
  expect(() => parseCommandLine(["local-env", "--endpoint", "https://a/v1"])).toThrow("--endpoint");
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
  ["is a random name without a value", ["exec", "--session"], true],
  ["is a random name before another option", ["exec", "--session", "--scope", "sales"], true],
  ["is a random name before a short option", ["exec", "--session", "-h"], true],
  ["takes the next word", ["exec", "--session", "nightly", "--scope", "sales"], "nightly"],
  ["takes a value behind =", ["exec", "--session=nightly"], "nightly"],
])("--session %s, and leaves the command alone", (_, own, session) => {
  const parsed = parseCommandLine([...own, "--", "job", "--session", "x"]);
  if (own.includes("-h")) expect(parsed).toEqual({ kind: "help", command: "exec" });
  else expect(parsed).toMatchObject({ values: { session }, operands: ["job", "--session", "x"] });
});

test("--env of exec may be repeated, and is another option than that of get", () => {
  const parsed = parseCommandLine(["exec", "--proxy", "--env", "A={base}", "--env=B={id}", "--", "job"]);
  expect(parsed).toMatchObject({ values: { "set-env": ["A={base}", "B={id}"] } });
  expect(parseCommandLine(["get", "--env"])).toMatchObject({ values: { env: true } });
});

test.each([
  [
    "the session's name is empty, as of an unset variable",
    ["exec", "--session", "", "--", "x"],
    /--session is empty/,
  ],
  ["the session's name is empty behind =", ["exec", "--session=", "--", "x"], /--session is empty/],
  [
    "the session is given twice",
    ["exec", "--session", "a", "--session=b", "--", "x"],
    /--session is given more than once/,
  ],
  [
    "the session is given with a name and without",
    ["exec", "--session", "a", "--session", "--", "x"],
    /exec takes no word without an option/,
  ],
  ["logout names no session", ["logout", "--session"], /--session/],
  ["a removed option is used", ["exec", "--keep", "--", "x"], /'--keep'/],
  ["there is no such command", ["frob"], /There is no command frob: there are get, exec/],
  ["the command is one of Object's own", ["constructor"], /There is no command constructor/],
  ["an option comes first", ["--scope", "sales", "get"], /The command comes first/],
  ["the option is unknown", ["get", "--frobnicate"], /'--frobnicate'; `looker-token get --help`/],
  ["the option is another command's", ["get", "--caller", "x"], /'--caller'/],
  ["a value is missing", ["get", "--scope"], /--scope/],
  ["a switch is given a value", ["get", "--json=no"], /--json/],
  [
    "there is a stray word",
    ["get", "sales"],
    /get takes no word without an option. `looker-token get --help`/,
  ],
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
