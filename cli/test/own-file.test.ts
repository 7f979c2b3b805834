import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownFile } from "../src/own-file.ts";

const tokenFile = (given: string) => ownFile("token-file", given);

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "token-file-"));
  path = join(directory, "token");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("only its owner can read it, even in the place of a public file", () => {
  writeFileSync(path, "old", { mode: 0o644 });
  const file = tokenFile(path);
  file.write("one");
  file.write("two");
  expect(readFileSync(path, "utf8")).toBe("two\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(["token"]);
});

test("a link in its place is replaced, and its target stays the same", () => {
  const elsewhere = join(directory, "elsewhere");
  writeFileSync(elsewhere, "mine");
  symlinkSync(elsewhere, path);
  tokenFile(path).write("secret");
  expect(readFileSync(elsewhere, "utf8")).toBe("mine");
});

test("is removed at the end, but not when another run has put its own there", () => {
  const [one, other] = [tokenFile(path), tokenFile(path)];
  one.write("one");
  other.write("other");
  one.remove();
  expect(readFileSync(path, "utf8")).toBe("other\n");
  other.remove();
  expect(readdirSync(directory)).toEqual([]);
  other.remove();
});

test("says which path cannot be written, leaves nothing behind, and does not say the token", () => {
  mkdirSync(path);
  expect(() => tokenFile(path).write("secret")).toThrow(/^--token-file .*token cannot be written \(\w+\)\.$/);
  expect(readdirSync(directory)).toEqual(["token"]);
  expect(() => tokenFile(join(directory, "none/token")).write("secret")).toThrow("(ENOENT)");
});

test("check() finds an impossible path, and changes nothing on a possible one", () => {
  tokenFile(path).check();
  expect(readdirSync(directory)).toEqual([]);
  mkdirSync(path);
  expect(() => tokenFile(path).check()).toThrow(/^--token-file .*token cannot be written \(EISDIR\)\.$/);
  expect(() => tokenFile(join(directory, "none/token")).check()).toThrow("(ENOENT)");
});

test("with a mark, the leftover of a killed run is replaced, and anybody else's file is left alone", () => {
  const file = ownFile("ini", path, { mark: "# ours" });
  file.check();
  file.write("# ours\none");
  ownFile("ini", path, { mark: "# ours" }).check();
  writeFileSync(path, "[Looker]\nclient_secret=mine\n");
  expect(() => file.check()).toThrow(/^--ini .*token was not written by looker-token: choose another/);
});
