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

const starts: [string, NodeJS.Signals, string[]][] = [
  ["nohup, from bash", "SIGHUP", ["bash", "-c", 'trap : HUP; nohup "$@" 2> /dev/null', "bash"]],
  ["a script under nohup", "SIGHUP", ["nohup", "sh", "-c", '"$@"; exit $?', "sh"]],
  ["a bash script under nohup", "SIGHUP", ["nohup", "bash", "-c", '"$@"; exit $?', "bash"]],
  ['trap "" HUP', "SIGHUP", ["sh", "-c", 'trap "" HUP; "$@"; exit $?', "sh"]],
  ['trap "" INT', "SIGINT", ["sh", "-c", 'trap "" INT; "$@"; exit $?', "sh"]],
  ['trap "" INT in bash', "SIGINT", ["bash", "-c", 'trap "" INT; "$@"; exit $?', "bash"]],
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

test("nohup behind -- protects the job from any shell", async () => {
  const [exec, scope, sales, dashes, ...words] = job as [string, string, string, string, ...string[]];
  const running = broker.cli.talkTo([], exec, scope, sales, dashes, "nohup", ...words);
  await untilSeen(() => running.out().includes("ready"), "the job");
  toAll(running.child.pid, "SIGHUP");
  running.child.stdin?.end("a line\n");
  expect((await running.ended).exitCode).toBe(0);
});
