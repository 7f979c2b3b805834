/** `looker-token exec` that comes to nothing: at once, and without a login where that can be seen beforehand. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { problem } from "../../support/broker-replies.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

test("without a token it ends at once, and no session is ended", async () => {
  const broker = await FakeBroker.start();
  broker.instead = () => problem(403, "not_allowed");
  const { exitCode } = await broker.cli.run("exec", "--scope", "sales", "--session", "--", "true");
  expect([exitCode, broker.asked("GET", "POST")]).toEqual([3, ["POST /scopes/sales/token"]]);
});

test.each([
  ["a command that is not there", ["--", "no-such-command"], 127],
  ["a command that is a directory", ["--", tmpdir()], 126],
  ["a token file in no directory", ["--token-file", "no/such/token", "--", "true"], 2],
  ["a token file that is a directory", ["--token-file", tmpdir(), "--", "true"], 2],
  ["a life of no seconds", ["--min-ttl", "0", "--", "true"], 2],
  ["a session's name that is none", ["--session", "a/b", "--", "true"], 2],
  ["an option of the proxy without one", ["--env", "A={base}", "--", "true"], 2],
  ["a token file beside a proxy", ["--proxy", "--token-file", "token", "--", "true"], 2],
  ["a shared token and a session", ["--proxy", "--shared", "--session", "a", "--", "true"], 2],
  ["a template with an unknown name", ["--proxy", "--env", "A={url}", "--", "true"], 2],
  ["a looker.ini in no directory", ["--proxy", "--ini", "no/such/looker.ini", "--", "true"], 2],
])("for %s no token is asked for", async (_, args, exitCode) => {
  const broker = await FakeBroker.start();
  expect((await broker.cli.run("exec", "--scope", "sales", ...args)).exitCode).toBe(exitCode);
  expect(broker.asked("GET", "POST")).toEqual([]);
});
