/** `looker-token exec` that comes to nothing: at once, and without a login where that can be seen beforehand. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { problem } from "../../support/broker-replies.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

test("without a token it ends at once, whatever else was asked", async () => {
  const broker = await FakeBroker.start();
  broker.instead = ({ method }) => (method === "GET" ? "silence" : problem(403, "not_allowed"));
  const asked = performance.now();
  const { exitCode } = await broker.cli.run("exec", "--scope", "sales", "--", "true");
  expect([exitCode, broker.asked("GET")]).toEqual([3, ["GET /scopes"]]);
  // What is asked beside the token may take ten.
  expect(performance.now() - asked).toBeLessThan(8_000);
});

test.each([
  ["a command that is not there", ["--", "no-such-command"], 127],
  ["a command that is a directory", ["--", tmpdir()], 126],
  ["a token file in no directory", ["--token-file", "no/such/token", "--", "true"], 2],
  ["a token file that is a directory", ["--token-file", tmpdir(), "--", "true"], 2],
  ["a life of no seconds", ["--min-ttl", "0", "--", "true"], 2],
])("for %s no token is asked for", async (_, args, exitCode) => {
  const broker = await FakeBroker.start();
  expect((await broker.cli.run("exec", "--scope", "sales", ...args)).exitCode).toBe(exitCode);
  expect(broker.asked("GET", "POST")).toEqual([]);
});
