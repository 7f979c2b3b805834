import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { checkCommand } from "../src/find-command.ts";

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "find-command-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, "folder"));
  for (const [name, mode] of [
    ["job", 0o755],
    ["notes", 0o644],
  ] as const) {
    writeFileSync(join(path, name), "");
    chmodSync(join(path, name), mode);
  }
  return path;
}

test("a command on the PATH, or with its path, passes", () => {
  const at = directory();
  checkCommand("job", { PATH: `/nowhere:${at}` });
  checkCommand(join(at, "job"), { PATH: "/nowhere" });
});

test.each([
  ["not there", "jbo", 127, "was not found"],
  ["not executable", "notes", 126, "cannot be run (EACCES)"],
  ["a directory", "folder", 126, "cannot be run (EACCES)"],
])("one that is %s exits as in a shell", (_, name, exitCode, message) => {
  const at = directory();
  for (const [command, PATH] of [
    [name, `/nowhere:${at}`],
    [join(at, name), "/nowhere"],
  ] as const)
    expect(() => checkCommand(command, { PATH })).toThrow(
      expect.objectContaining({ exitCode, message: expect.stringContaining(message) }),
    );
});

test("without a PATH the system has its own", () => {
  checkCommand("job", {});
});

test.each([
  ["#!/no/such/interpreter\n", "its interpreter /no/such/interpreter was not found"],
  ["#!/bin/sh\r\necho\r\n", "its first line ends in a carriage return (CRLF)"],
  ["#!/bin/sh -e\r\necho\r\n", "its first line ends in a carriage return (CRLF)"],
  ["#! /usr/bin/env bash\r\necho\r\n", "its first line ends in a carriage return (CRLF)"],
])("a script that begins with %j exits as in a shell, and says why", (text, message) => {
  const file = join(directory(), "script");
  writeFileSync(file, text, { mode: 0o755 });
  expect(() => checkCommand(file, {})).toThrow(
    expect.objectContaining({ exitCode: 127, message: expect.stringContaining(message) }),
  );
});

test.each(["#!/bin/sh", "#!/usr/bin/env sh\n", "\x7fELF\r\n", "#!\n", "echo\r\n"])(
  "a file that begins with %j passes",
  (text) => {
    const file = join(directory(), "script");
    writeFileSync(file, text, { mode: 0o755 });
    checkCommand(file, {});
  },
);
