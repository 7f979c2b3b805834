import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

test("a name that is too long is refused beforehand, in the option's words", () => {
  const file = tokenFile(join(directory, "x".repeat(300)));
  expect(() => file.check()).toThrow(/^--token-file .* cannot be written \(ENAMETOOLONG\)\.$/);
});

/** As root, one run of the command with `--token-file /dev/null` once destroyed the machine's `/dev/null`. */
describe("anything but a regular file in its place is refused, and left as it was", () => {
  const elsewhere = () => join(directory, "elsewhere");
  const socket = createServer();
  afterEach(() => void socket.close());
  const kinds: [string, () => unknown][] = [
    [
      "a symbolic link",
      () => {
        writeFileSync(elsewhere(), "mine");
        symlinkSync(elsewhere(), path);
      },
    ],
    ["a symbolic link", () => symlinkSync(join(directory, "nothing"), path)],
    ["a symbolic link", () => symlinkSync("/dev/null", path)],
    ["a directory", () => mkdirSync(path)],
    ["a named pipe", () => execFileSync("mkfifo", [path])],
    ["a socket", () => new Promise<void>((done) => socket.listen(path, done))],
  ];

  test.each(kinds)("%s", async (kind, make) => {
    const file = tokenFile(path);
    const marked = ownFile("ini", path, { mark: "# ours" });
    // Put there after the check, as somebody else may.
    for (const each of [file, marked]) each.check();
    await make();
    const [before, there] = [lstatSync(path), readdirSync(directory)];
    for (const each of [() => file.check(), () => file.write("secret"), () => marked.write("# ours\nsecret")])
      expect(each).toThrow(`${path} is ${kind}, which is never replaced: choose the path of a file`);
    file.remove();
    expect([lstatSync(path).ino, readdirSync(directory)]).toEqual([before.ino, there]);
    if (there.includes("elsewhere")) expect(readFileSync(elsewhere(), "utf8")).toBe("mine");
  });

  test("a device", () => {
    expect(() => tokenFile("/dev/null").check()).toThrow(
      "--token-file /dev/null is a device, which is never replaced",
    );
    expect(() => ownFile("ini", "/dev/zero", { mark: "# ours" }).check()).toThrow("is a device");
  });
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

test("is not removed where another run's file got the number of one that was replaced", () => {
  const [one, other] = [tokenFile(path), tokenFile(path)];
  one.write("one");
  const { ino } = statSync(path);
  // A file system gives the number of a file that is gone to the next one: on many the second write has it already.
  for (let tries = 0; tries < 20; tries++) {
    other.write("other");
    if (statSync(path).ino === ino) break;
  }
  one.remove();
  expect(readFileSync(path, "utf8")).toBe("other\n");
});

test("in a place that another file took since is left there", () => {
  const file = tokenFile(path);
  file.write("one");
  rmSync(path);
  const elsewhere = join(directory, "elsewhere");
  writeFileSync(elsewhere, "mine");
  symlinkSync(elsewhere, path);
  file.remove();
  expect(readdirSync(directory)).toEqual(["elsewhere", "token"]);
});

test("says which path cannot be written, leaves nothing behind, and does not say the token", () => {
  const missing = tokenFile(join(directory, "none/token"));
  expect(() => missing.write("secret")).toThrow(/^--token-file .*token cannot be written \(ENOENT\)\.$/);
  expect(readdirSync(directory)).toEqual([]);
});

test("check() finds an impossible path, and changes nothing on a possible one", () => {
  tokenFile(path).check();
  expect(readdirSync(directory)).toEqual([]);
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
