/** AWS's clients cost a tenth of a second and megabytes of memory: only the commands that need them load them. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { Command } from "../../support/cli/command.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

/** Notes each client of AWS's that is loaded. */
const noting = `import { registerHooks } from "node:module";
registerHooks({ resolve(specifier, context, next) {
  if (specifier.startsWith("@aws-sdk/client-")) process.stderr.write("loads " + specifier + "\\n");
  return next(specifier, context);
} });`;
const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(noting)}`;

test.each([
  ["--help"],
  ["scopes"],
  ["leases", "--scope", "sales"],
  ["account", "--scope", "sales"],
  ["revoke", "--scope", "sales", "--all", "--dry-run"],
  ["freeze", "--scope", "sales", "--reason", "incident 42"],
])("%s loads none", async (...args) => {
  const broker = await FakeBroker.start();
  const { err, exitCode } = await broker.cli.with({ NODE_OPTIONS }).run(...args);
  expect([exitCode, err]).toEqual([0, expect.not.stringContaining("loads")]);
});

test("ask loads them, so this test would see it", async () => {
  const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "example-secret" };
  const cli = new Command(tmpdir(), {
    ...keys,
    NODE_OPTIONS,
    AWS_REGION: "us-east-1",
    AWS_MAX_ATTEMPTS: "1",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
  });
  const { err, exitCode } = await cli.run("ask");
  expect([exitCode, err]).toEqual([4, expect.stringContaining("loads @aws-sdk/client-cloudformation")]);
});
