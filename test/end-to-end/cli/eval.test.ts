/** `eval "$(looker-token …)"`: a failure of the command is one of the shell's line, too. */
import { beforeEach, expect, test } from "vitest";
import { problem, tokenReply } from "../../support/broker-replies.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
});

const evaluated = (...args: string[]) =>
  broker.cli.startBy(["sh", "-c", 'eval "$("$@")"; echo "status $?"', "sh"], ...args).ended;

test.each([
  ["no local broker runs", ["local-env"], "No broker runs here"],
  ["an option of local-env is wrong", ["local-env", "--scop", "sales"], "--scop"],
  ["the broker refuses", ["get", "--scope", "sales", "--env"], "frozen"],
  ["no scope is named", ["get", "--env"], "Which scope?"],
])("%s: eval fails", async (_, args, message) => {
  broker.instead = () => problem(403, "scope_frozen");
  const { out, err } = await evaluated(...args);
  expect([out, err]).toEqual(["status 1\n", expect.stringContaining(message)]);
});

test("eval succeeds with the token", async () => {
  broker.instead = () => tokenReply("one");
  expect((await evaluated("get", "--scope", "sales", "--env")).out).toBe("status 0\n");
});

test.each([
  ["get", ["get", "--scope", "sales"]],
  ["get --json", ["get", "--scope", "sales", "--json"]],
  ["local-env --json", ["local-env", "--json"]],
])("%s, which is not for eval, prints nothing in the place of its result", async (_, args) => {
  broker.instead = () => problem(403, "scope_frozen");
  const { exitCode, out } = await broker.cli.run(...args);
  expect([exitCode === 0, out]).toEqual([false, ""]);
});

test.each([
  ["get --env", ["get", "--env"]],
  ["exec", ["exec", "--", "true"]],
  ["exec --proxy", ["exec", "--proxy", "--", "true"]],
])("%s passes on http and https addresses only", async (_, [command = "", ...rest]) => {
  broker.instead = () => tokenReply("one", 900, "javascript:alert(1)");
  const { exitCode, out, err } = await broker.cli.run(command, "--scope", "sales", ...rest);
  expect([exitCode, out.includes("javascript"), err]).toEqual([
    4,
    false,
    expect.stringContaining("no token broker"),
  ]);
});
