/** `looker-token doctor`: the AWS credentials, and the secrets that are never in the output. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { plantedToken } from "../../support/broker-replies.ts";
import { readable } from "../../support/cli/command.ts";
import { doctorStand, examined, type Line, sales } from "../../support/cli/doctor-stand.ts";
import { FakeServer } from "../../support/fake-server.ts";

const at = doctorStand();

test("there are no AWS credentials", async () => {
  const { exitCode, line, word } = await examined(at.broker.cli.without("AWS_ACCESS_KEY_ID"), ...sales);
  expect([exitCode, line("credentials").code, word("identity")]).toEqual([3, "no_credentials", "skipped"]);
});

test("the AWS credentials do not come", async () => {
  const agent = await FakeServer.start(() => new Promise(() => {}));
  onTestFinished(() => agent.stop());
  const cli = at.broker.cli
    .without("AWS_ACCESS_KEY_ID")
    .with({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url });
  const { exitCode, out } = await cli.run("doctor", ...sales, "--json");
  const line = (JSON.parse(out).checks as Line[]).find(({ check }) => check === "credentials");
  expect([exitCode, line?.result, line?.code]).toEqual([4, "fail", "credentials_unavailable"]);
  expect(line?.found).toContain("(set: AWS_CONTAINER_CREDENTIALS_FULL_URI)");
});

test.each([
  "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00",
  "AKIAwithsmallletters",
  "AKIA",
  "AIDAEXAMPLEEXAMPLE12",
])("nothing is shown of another value in the place of a key's id: %s", async (AWS_ACCESS_KEY_ID) => {
  const { line } = await examined(at.broker.cli.with({ AWS_ACCESS_KEY_ID }), ...sales);
  expect(line("credentials").found).toBe(
    "From AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: key of an unusual form.",
  );
});

test("a key with a line break is told by its variable", async () => {
  const cli = at.broker.cli.with({ AWS_SECRET_ACCESS_KEY: "planted\nmore" });
  const { exitCode, line } = await examined(cli, ...sales);
  expect([exitCode, line("credentials").code]).toEqual([3, "bad_credentials"]);
  expect(line("credentials").found).toContain("AWS_SECRET_ACCESS_KEY");
});

test("a temporary key has no session token", async () => {
  const cli = at.broker.cli.with({ AWS_ACCESS_KEY_ID: "ASIAEXAMPLEEXAMPLE12" });
  const { exitCode, line } = await examined(cli, ...sales);
  expect([exitCode, line("credentials").next]).toEqual([
    3,
    "Set AWS_SESSION_TOKEN as well, from the same place as the key.",
  ]);
});

test("AWS_PROFILE wins over the variables of a key", async () => {
  const home = mkdtempSync(join(tmpdir(), "home-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const keys = "aws_access_key_id = AKIAPROFILEPROFILE12\naws_secret_access_key = profile-secret";
  writeFileSync(join(home, "credentials"), `[mine]\n${keys}\n`);
  const cli = at.broker.cli.with({
    AWS_PROFILE: "mine",
    AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials"),
  });
  const { exitCode, out } = await cli.run("doctor", ...sales, "--json");
  const line = (JSON.parse(out).checks as Line[]).find(({ check }) => check === "credentials");
  expect([exitCode, line]).toEqual([
    0,
    {
      check: "credentials",
      result: "warn",
      found:
        "From keys of the profile mine: key AKIA…LE12. AWS_PROFILE wins over AWS_ACCESS_KEY_ID. The AWS CLI does it the other way round.",
      next: "Unset AWS_PROFILE, or the key's variables.",
    },
  ]);
});

describe("a secret is never in the output, so that it can go into a ticket", () => {
  const key = "ASIASECRETSECRETKEY1";
  const secrets = {
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: "secret-access-key-planted",
    AWS_SESSION_TOKEN: "session-token-planted",
    HTTPS_PROXY: "http://me:proxy-password-planted@127.0.0.1:9",
  };

  test.each([
    ["all is well", {}],
    ["the proxy's variable is not a URL", { HTTPS_PROXY: "me:proxy-password-planted@proxy" }],
    [
      "the endpoint has a password",
      { LOOKER_BROKER_ENDPOINT: "https://me:endpoint-password-planted@broker/v1" },
    ],
    ["the endpoint is behind the proxy", { LOOKER_BROKER_ENDPOINT: "https://broker.invalid/v1" }],
    ["the session token is no header", { AWS_SESSION_TOKEN: "session-token-planted\nmore" }],
  ])("%s", async (_, more) => {
    const cli = at.broker.cli.with({ ...secrets, ...more });
    const [text, json] = [await cli.run("doctor", ...sales), await cli.run("doctor", ...sales, "--json")];
    const all = [text.out, text.err, json.out, json.err].join("\n");
    expect(all).toContain("credentials");
    expect(all).not.toContain("planted");
    expect(all).not.toContain(key);
    expect(all).not.toContain(plantedToken("one"));
  });

  test("an answer that repeats the request", async () => {
    const cli = at.broker.cli.with(secrets);
    at.looker.answering = ({ headers }) => ({ status: 401, body: { message: headers.authorization } });
    const { out, err } = await cli.run("doctor", ...sales);
    expect(readable(out)).toContain("does not take the token");
    expect(out + err).not.toContain(plantedToken("one"));
  });
});
