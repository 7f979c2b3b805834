/** A job has the descriptors, arguments and variables of the place of its start. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { tokenReply } from "../../support/broker-replies.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
  broker.instead = () => tokenReply("one");
});

const exec = ["exec", "--scope", "sales", "--"];
const inShell = (script: string, ...args: string[]) =>
  broker.cli.startBy(["bash", "-c", script, "bash"], ...args).ended;

describe.skipIf(process.platform !== "linux")("descriptors (on Linux)", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "descriptors-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "in"), "nine\n");
  });

  test.each([
    ["without a proxy", exec],
    ["with --proxy", ["exec", "--scope", "sales", "--proxy", "--shared", "--"]],
  ])("a job reads and writes those of its start, %s", async (_, words) => {
    const job = 'cat <&9; cat <&12; echo three >&3; echo twenty >&20; flock -n 8 || echo "locked: no"';
    const script = `cd ${directory}; "$@" 3> three 8> lock 9< in 12< <(echo twelve) 20> twenty`;
    expect(await inShell(script, ...words, "bash", "-c", job)).toEqual({
      exitCode: 0,
      out: "nine\ntwelve\n",
      err: "",
    });
    expect(readFileSync(join(directory, "three"), "utf8")).toBe("three\n");
    expect(readFileSync(join(directory, "twenty"), "utf8")).toBe("twenty\n");
  });

  test("and none of looker-token's own", async () => {
    // Without those that this test itself was started with.
    const alone = "for each in $(ls /proc/$$/fd); do [ $each -lt 3 ] || eval exec $each\\>\\&-; done";
    const list = "ls /proc/self/fd";
    const files = `5< ${directory}/in 9> ${directory}/out`;
    const script = `${alone}; ${list} ${files}; echo; "$@" ${files}`;
    const [direct = "", through = ""] = (await inShell(script, ...exec, ...list.split(" "))).out.split(
      "\n\n",
    );
    // 3 is the list's own.
    expect(direct.split("\n").sort()).toEqual(["0", "1", "2", "3", "5", "9"]);
    expect(through.trim()).toBe(direct);
  });
});

test("an argument that is not UTF-8 is refused before a login", async () => {
  const { exitCode, err } = await inShell('"$@" $(printf "caf\\351")', ...exec, "echo");
  expect([exitCode, err]).toEqual([
    2,
    expect.stringMatching(/^looker-token: Word 6 of the command line is not UTF-8/),
  ]);
  expect(broker.asked("POST")).toEqual([]);
});

test("the broken word is named, and not a word with a genuine U+FFFD", async () => {
  const { err } = await inShell('"$@" "\ufffd" $(printf "caf\\351")', ...exec, "echo");
  expect(err).toMatch(/^looker-token: Word 7 of the command line is not UTF-8/);
});

test("any UTF-8 reaches the job as it is", async () => {
  const word = "é ü 漢 🙂 \ufffd \u202e \\ ' \"";
  const cli = broker.cli.with({ ODD: word });
  const words = ["sh", "-c", 'printf "%s|%s" "$1" "$ODD"', "sh", word];
  expect(await cli.run(...exec, ...words)).toEqual({ exitCode: 0, out: `${word}|${word}`, err: "" });
});

test("a variable with other bytes than UTF-8 is named", async () => {
  const script = 'export GENUINE="\ufffd"; ODD=$(printf "caf\\351") "$@"';
  const { exitCode, err } = await inShell(script, ...exec, "true");
  expect([exitCode, err]).toEqual([
    0,
    "looker-token: Not UTF-8, so changed for the command: the environment's ODD.\n",
  ]);
});

test("a script with CRLF line ends is told apart from one that is not there, before a login", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "crlf-")), "job");
  onTestFinished(() => rmSync(join(file, ".."), { recursive: true }));
  writeFileSync(file, "#!/bin/sh\r\necho\r\n", { mode: 0o755 });
  expect(() => execFileSync(file)).toThrow("ENOENT");
  const { exitCode, err } = await broker.cli.run(...exec, file);
  expect([exitCode, err]).toEqual([
    127,
    expect.stringContaining("carriage return (CRLF). Save it with LF line ends."),
  ]);
  expect(broker.asked("POST")).toEqual([]);
});
