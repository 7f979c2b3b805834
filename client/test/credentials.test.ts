/** AWS's default chain as it is, with nothing of this machine in its reach. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../test/support/failure.ts";
import { FakeServer, type Reply } from "../../test/support/fake-server.ts";
import { inBareEnvironment } from "./bare-environment.ts";
import { clientStand, stopStands } from "./stand.ts";

const machine = inBareEnvironment();
afterEach(stopStands);

describe("AWS's default chain", () => {
  it("without any credentials is an error that says so", async () => {
    const { another } = await clientStand();
    const error = await failure(another({ credentials: undefined }).token());
    expect(error.code).toBe("no_credentials");
    expect(error.summary).toBe("No AWS credentials were found (CredentialsProviderError).");
  });

  it("with a profile whose SSO session has ended names the command that renews it", async () => {
    writeFileSync(
      join(machine.home, "config"),
      `[profile work]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = report-service
`,
    );
    process.env.AWS_PROFILE = "work";
    const { another } = await clientStand();
    const error = await failure(another({ credentials: undefined }).token());
    expect(error.code).toBe("no_credentials");
    expect(error.summary).toBe("The SSO session of the AWS profile work has expired or was never begun.");
    expect(error.hint).toBe("Run `aws sso login --profile work`.");
  });

  it.each([
    ["no_credentials", "", {}],
    [
      "not_allowed",
      "aws_access_key_id = AKIDOFPROFILE\naws_secret_access_key = s\n",
      { status: 403, body: { code: "not_allowed", title: "x" } },
    ],
  ])("with AWS_PROFILE and keys in the environment names the profile in %s", async (code, keys, reply) => {
    writeFileSync(join(machine.home, "credentials"), `[work]\n${keys}`);
    Object.assign(process.env, {
      AWS_PROFILE: "work",
      AWS_ACCESS_KEY_ID: "AKIDX",
      AWS_SECRET_ACCESS_KEY: "s",
    });
    const { another } = await clientStand(() => reply as Reply);
    const error = await failure(another({ credentials: undefined }).token());
    expect(error.code).toBe(code);
    const says =
      "The credentials are of AWS_PROFILE (work), and not AWS_ACCESS_KEY_ID: the profile comes first.";
    expect(error.summary).toContain(says);
    delete process.env.AWS_ACCESS_KEY_ID;
    expect((await failure(another({ credentials: undefined }).token())).summary).not.toContain(says);
  });

  it("asks a container's source of credentials again when it does not answer", async () => {
    // AWS's two providers for containers ask once each.
    const triesOfOneCall = 2;
    const container = await FakeServer.start(() =>
      container.asked.length <= triesOfOneCall
        ? "drop"
        : {
            status: 200,
            body: {
              AccessKeyId: "ASIAX",
              SecretAccessKey: "s",
              Token: "t",
              Expiration: new Date(Date.now() + 3_600_000).toISOString(),
            },
          },
    );
    process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${container.url}/credentials`;
    try {
      const { another, clock } = await clientStand();
      expect((await another({ credentials: undefined }).token()).leaseId).toBe("lease-1");
      expect(clock.slept.length).toBe(1);
    } finally {
      await container.stop();
    }
  });

  it("that has given credentials before, and does not now, is asked again until the budget is spent", async () => {
    const { another, broker, clock } = await clientStand(() => ({
      status: 403,
      headers: { "x-amzn-errortype": "ExpiredTokenException" },
      body: { message: "The security token included in the request is expired" },
    }));
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIDOLD", AWS_SECRET_ACCESS_KEY: "old" });
    const client = another({ credentials: undefined });
    expect((await failure(client.token())).code).toBe("expired_credentials");
    expect(broker.asked.length).toBe(1);
    delete process.env.AWS_ACCESS_KEY_ID;
    expect((await failure(client.token())).code).toBe("credentials_unavailable");
    expect(clock.slept.length).toBeGreaterThan(3);
  });

  it("takes keys from the environment, and others when these are replaced after AWS refused them", async () => {
    const { another, broker } = await clientStand();
    const earlier = broker.answering;
    broker.answering = (asked) =>
      asked.headers.authorization?.includes("AKIDNEW")
        ? earlier(asked)
        : {
            status: 403,
            headers: { "x-amzn-errortype": "ExpiredTokenException" },
            body: { message: "The security token included in the request is expired" },
          };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIDOLD", AWS_SECRET_ACCESS_KEY: "old" });
    const client = another({ credentials: undefined });
    expect((await failure(client.token())).code).toBe("expired_credentials");
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "AKIDNEW", AWS_SECRET_ACCESS_KEY: "new" });
    expect((await client.token()).leaseId).toBe("lease-1");
  });
});
