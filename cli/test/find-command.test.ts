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
