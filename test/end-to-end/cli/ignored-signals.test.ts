/** A signal that was ignored at the start stays ignored, for `looker-token` and for its job. */
import { beforeEach, expect, test } from "vitest";
import { tokenReply } from "../../support/broker-replies.ts";
import { untilSeen } from "../../support/broker-stand.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

let broker: FakeBroker;
let answer = (): void => {};
beforeEach(async () => {
  broker = await FakeBroker.start();
  broker.instead = () => tokenReply("one");
  answer = () => {};
});

/** Ends by a line on its stdin, and by a signal that it does not ignore. */
const job = ["exec", "--scope", "sales", "--", "sh", "-c", 'echo "ready $$"; read line; echo "got $line"'];

/** As a terminal that is closed, or Ctrl-C: the whole group gets it. */
const toAll = (pid: number | undefined, signal: NodeJS.Signals) => process.kill(-(pid as number), signal);

const startedBy = (python: string) => [
  "python3",
  "-c",
  `import os, shlex, signal, subprocess, sys\n${python}`,
];
const quit = "signal.signal(signal.SIGQUIT, signal.SIG_DFL)";

const starts: [string, NodeJS.Signals, string[]][] = [
  ["nohup, from bash", "SIGHUP", ["bash", "-c", 'trap : HUP; nohup "$@" 2> /dev/null', "bash"]],
  ["a script under nohup", "SIGHUP", ["nohup", "sh", "-c", '"$@"; exit $?', "sh"]],
  ["a bash script under nohup", "SIGHUP", ["nohup", "bash", "-c", '"$@"; exit $?', "bash"]],
  ['trap "" HUP', "SIGHUP", ["sh", "-c", 'trap "" HUP; "$@"; exit $?', "sh"]],
  ['trap "" INT', "SIGINT", ["sh", "-c", 'trap "" INT; "$@"; exit $?', "sh"]],
  ['trap "" INT in bash', "SIGINT", ["bash", "-c", 'trap "" INT; "$@"; exit $?', "bash"]],
  [
    '( trap "" HUP ) in a subshell',
    "SIGHUP",
    ["sh", "-c", 'trap : HUP; (trap "" HUP; "$@"; exit $?); exit $?', "sh"],
  ],
  [
    'trap "" INT, and a program that takes its place',
    "SIGINT",
    ["sh", "-c", 'trap "" INT; env "$@"; exit $?', "sh"],
  ],
  [
    "a parent that ignores HUP",
    "SIGHUP",
    startedBy("signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.exit(subprocess.call(sys.argv[1:]))"),
  ],
  [
    "a parent that ignores INT",
    "SIGINT",
    startedBy(
      `${quit}; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.exit(subprocess.call(sys.argv[1:]))`,
    ),
  ],
];

test.each(starts)("%s: a job lives through %s", async (_, signal, program) => {
  const running = broker.cli.talkTo(program, ...job);
  await untilSeen(() => running.out().includes("ready"), "the job");
  toAll(running.child.pid, signal);
  running.child.stdin?.end("a line\n");
  const { exitCode, out } = await running.ended;
  expect([exitCode, out.replace(/\d+/, "PID")]).toEqual([0, "ready PID\ngot a line\n"]);
});

test.each(starts)("%s: waiting for the token lives through %s", async (_, signal, program) => {
  let asked = false;
  broker.instead = () => {
    asked = true;
    return new Promise((resolve) => {
      answer = () => resolve(tokenReply("one"));
    });
  };
  const running = broker.cli.talkTo(program, "get", "--scope", "sales");
  await untilSeen(() => asked, "the request");
  toAll(running.child.pid, signal);
  answer();
  expect(await running.ended).toMatchObject({ exitCode: 0, out: expect.stringMatching(/./) });
});

test.each(["SIGHUP", "SIGINT"] as const)("a job that nothing protects ends by %s", async (signal) => {
  const running = broker.cli.talkTo([], ...job);
  await untilSeen(() => running.out().includes("ready"), "the job");
  toAll(running.child.pid, signal);
  expect((await running.ended).exitCode).toBe(signal === "SIGHUP" ? 129 : 130);
});

test("a parent that ignores INT only while it waits, as system() does, protects nothing", async () => {
  const running = broker.cli.talkTo(
    startedBy("sys.exit(os.waitstatus_to_exitcode(os.system('exec ' + shlex.join(sys.argv[1:]))))"),
    ...job,
  );
  await untilSeen(() => running.out().includes("ready"), "the job");
  toAll(running.child.pid, "SIGINT");
  expect((await running.ended).exitCode).toBe(130);
});

test.each([
  ["SIGHUP", ["nohup"]],
  ["SIGINT", ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]],
] as const)("protection behind -- is that of the job from any shell: %s", async (signal, protection) => {
  const words = [...job.slice(0, 4), ...protection, ...job.slice(4)];
  const running = broker.cli.talkTo([], ...words);
  await untilSeen(() => running.out().includes("ready"), "the job");
  toAll(running.child.pid, signal);
  running.child.stdin?.end("a line\n");
  expect((await running.ended).exitCode).toBe(0);
});
