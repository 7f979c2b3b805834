import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { takeRunLock } from "../../../local/run-lock.ts";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "run-lock-"));
  file = join(directory, "broker.lock");
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The pid of a process that has ended. */
const goneNow = () => spawnSync(process.execPath, ["-e", ""]).pid;

it("is this run's until it is given back", () => {
  const giveBack = takeRunLock(file);
  expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  expect(readdirSync(directory)).toEqual(["broker.lock"]);
  giveBack();
  expect(readdirSync(directory)).toEqual([]);
});

it("of a run that goes on is refused, with its pid and the file to remove, and left as it is", () => {
  const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  onTestFinished(() => void other.kill("SIGKILL"));
  writeFileSync(file, `${other.pid}\n`);
  expect(() => takeRunLock(file)).toThrow(
    `A broker is running here (pid ${other.pid}): stop it first. If that is another program, remove ${file}.`,
  );
  expect(readFileSync(file, "utf8")).toBe(`${other.pid}\n`);
  expect(readdirSync(directory)).toEqual(["broker.lock"]);
});

it.each<[string, () => string]>([
  ["a run that was killed", () => `${goneNow()}\n`],
  ["a run of the same pid, as in a container that starts again", () => `${process.pid}\n`],
  ["nobody", () => ""],
])("of %s is taken over", (_, content) => {
  writeFileSync(file, content());
  const giveBack = takeRunLock(file);
  expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  expect(readdirSync(directory)).toEqual(["broker.lock"]);
  giveBack();
});

it("of another run is not given back by this one", () => {
  const giveBack = takeRunLock(file);
  writeFileSync(file, "1\n");
  giveBack();
  expect(existsSync(file)).toBe(true);
});
