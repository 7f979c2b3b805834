/** What `looker-token` prints for callers, in a pipe and under a terminal, against a whole local broker. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Caller, openFirstLock } from "../../support/broker-stand.ts";
import { Command, readable } from "../../support/cli/command.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage();
const { run, onTerminal, lookerTakes } = stage;
let reports: Caller;
beforeAll(() => {
  reports = stage.caller("report-service");
});

describe("get", () => {
  test("in a pipe it prints the token, which Looker takes, and nothing else anywhere", async () => {
    const { out, err, exitCode } = await stage.cli.run("get", "--scope", "sales", "--local");
    expect([exitCode, err]).toEqual([0, ""]);
    expect(out.endsWith("\n")).toBe(true);
    expect(await lookerTakes(out.trimEnd())).toBe(200);
  });

  test("--header, --env and --json have the same token in their forms", async () => {
    const { access_token, lease_id } = (await reports.token("sales")).json;
    const get = (...args: string[]) => stage.cli.run("get", "--scope", "sales", "--local", ...args);
    expect((await get("--header")).out === `Authorization: Bearer ${access_token}\n`).toBe(true);
    const script = `${(await get("--env")).out}\nprintf %s "$LOOKER_ACCESS_TOKEN $LOOKERSDK_BASE_URL"`;
    const seen = execFileSync("sh", ["-c", script], { encoding: "utf8" });
    expect(seen === `${access_token} ${stage.stand.broker.lookerUrl}`).toBe(true);
    const { access_token: same, ...rest } = JSON.parse((await get("--json")).out);
    expect(same === access_token).toBe(true);
    expect(rest).toEqual({
      token_type: "Bearer",
      expires_in: expect.any(Number),
      scope: "sales",
      lease_id,
      base_url: stage.stand.broker.lookerUrl,
    });
  });

  test("on a terminal it says beside the token what that means", async () => {
    const { access_token } = (await reports.token("sales")).json;
    const { text, exitCode } = await stage.cli.onTerminal(["get", "--scope", "sales", "--local"]);
    expect(exitCode).toBe(0);
    expect(readable(text.replace(access_token, "TOKEN"))).toBe(
      "TOKEN\n␛[2mA secret, now in this terminal's scrollback; `looker-token exec` passes it on unseen.\n␛[22m",
    );
  });

  test("the scope and the endpoint also come from the environment", async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = reports.principal;
    const { out, exitCode } = await stage.cli
      .with({
        LOOKER_BROKER_ENDPOINT: stage.stand.broker.endpoint,
        LOOKER_BROKER_SCOPE: "sales",
        AWS_REGION: stage.stand.broker.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      })
      .run("get");
    expect([exitCode, await lookerTakes(out.trimEnd())]).toEqual([0, 200]);
  });
});

describe("who and what", () => {
  test("whoami", async () => {
    expect(await run("whoami")).toMatchObject({
      exitCode: 0,
      out: `\
Caller  arn:aws:iam::111122223333:role/report-service
Account  111122223333
Unique id  UNIQUE
Broker  http://127.0.0.1:PORT/v1 (us-east-1)
`,
    });
    expect(JSON.parse((await run("whoami", "--json")).out)).toMatchObject({
      arn: reports.principal.callerArn,
      account: "111122223333",
      region: "us-east-1",
    });
  });

  test("scopes", async () => {
    expect((await run("scopes", "--as", "platform-engineer")).out).toBe(`\
SCOPE  MAY  LEASE  LOOKER
sales  operate  SPAN  http://127.0.0.1:PORT
finance  operate  SPAN  http://127.0.0.1:PORT
`);
    expect(JSON.parse((await run("scopes", "--json")).out).scopes).toMatchObject([
      { scope: "sales", may: ["token"] },
    ]);
  });

  test("who is in no scope is told where to look", async () => {
    openFirstLock(stage.stand.broker, stage.caller("administrator").principal);
    expect(await run("scopes", "--as", "administrator")).toEqual({
      exitCode: 0,
      out: "",
      err: "No scope lists you; `looker-token whoami` shows who you are to the broker.\n",
    });
  });
});

describe("logout", () => {
  test("ends the caller's leases, and says that they are dead", async () => {
    const { json } = await reports.token("sales");
    expect(await run("logout", "--scope", "sales")).toEqual({
      exitCode: 0,
      out: "revoked  1 lease of yours in sales; Looker confirmed its end\n",
      err: "",
    });
    expect(await lookerTakes(json.access_token)).toBe(401);
    expect(JSON.parse((await run("logout", "--scope", "sales", "--json")).out)).toMatchObject({
      outcome: "revoked",
      revoked: 0,
    });
  });

  test("ends the one lease that is named", async () => {
    const { lease_id } = (await reports.token("sales")).json;
    expect((await run("logout", "--scope", "sales", "--lease-id", "0123456789abcdef0123")).out).toMatch(
      /no lease matched/,
    );
    expect((await run("logout", "--scope", "sales", "--lease-id", lease_id)).out).toMatch(
      /^revoked {2}1 lease/,
    );
  });

  test("exits with 5 while Looker does not confirm", async () => {
    await reports.token("sales");
    stage.stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    const { exitCode, out } = await run("logout", "--scope", "sales");
    expect([exitCode, out]).toEqual([
      5,
      expect.stringMatching(/^pending {2}1 lease of yours in sales; .* not confirmed dead/),
    ]);
  });
});

describe("what is wrong and what to try, in one line", () => {
  const get = ["get", "--scope", "sales"];

  async function line(command: Command, ...args: string[]): Promise<[number, string]> {
    const { exitCode, out, err } = await command.run(...args);
    stage.printed.push(out, err);
    expect(out).toBe("");
    return [exitCode, readable(err)];
  }

  /** With the caller's own keys, as outside the local run. */
  const signed = (more: Record<string, string> = {}) => {
    const { accessKeyId, secretAccessKey, sessionToken } = reports.principal;
    return stage.cli.with({
      LOOKER_BROKER_ENDPOINT: stage.stand.broker.endpoint,
      AWS_REGION: stage.stand.broker.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      ...more,
    });
  };

  test("no endpoint", async () => {
    expect(await line(stage.cli, ...get)).toEqual([
      2,
      "looker-token: It is not known where the token broker is. Pass --endpoint, or set LOOKER_BROKER_ENDPOINT, to the https URL that the deployment printed; --local finds the broker of `npm start`.\n",
    ]);
  });

  test("no broker runs on this machine", async () => {
    const elsewhere = join(stage.stand.workDir, "..");
    expect(await line(new Command(elsewhere), ...get, "--local")).toEqual([
      2,
      "looker-token: No broker runs here: there is no .local/broker.json in this directory or above. `npm start` starts one.\n",
    ]);
  });

  test("an endpoint where nothing listens is told at once", async () => {
    const began = Date.now();
    const [exitCode, text] = await line(
      signed(),
      ...get,
      "--endpoint",
      `http://127.0.0.1:${await closedPort()}/v1`,
    );
    expect([exitCode, text]).toEqual([
      4,
      "looker-token: 127.0.0.1:PORT cannot be reached (ECONNREFUSED). Check the endpoint's name, the network, and a private API's VPC endpoint.\n",
    ]);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  test("an endpoint without its stage", async () => {
    const wrong = stage.stand.broker.endpoint.replace(/\/v1$/, "/v2");
    expect(await line(signed(), ...get, "--endpoint", wrong)).toEqual([
      2,
      "looker-token: There is no broker at this path of 127.0.0.1:PORT, or the API is closed to this way in: Forbidden. Check the endpoint's stage first. Otherwise ask the operators for the cause. It may be a rule of AWS WAF, another VPC endpoint than the private API's, a domain name without a mapping, or a switched off execute-api endpoint.\n",
    ]);
  });

  test("an endpoint that is another site", async () => {
    const site = createServer((_, response) =>
      response.setHeader("content-type", "text/html").end("<h1>Hello</h1>"),
    );
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void site.close());
    const { port } = site.address() as AddressInfo;
    expect(await line(signed(), ...get, "--endpoint", `http://127.0.0.1:${port}/v1`)).toEqual([
      4,
      "looker-token: What 127.0.0.1:PORT answered does not come from a token broker (200, text/html). Check the endpoint. Something else answers there, such as a proxy or another site.\n",
    ]);
  });

  test("no credentials", async () => {
    const bare = stage.cli.with({
      LOOKER_BROKER_ENDPOINT: stage.stand.broker.endpoint,
      AWS_REGION: stage.stand.broker.region,
    });
    expect(await line(bare, ...get)).toEqual([
      3,
      "looker-token: No AWS credentials were found (CredentialsProviderError). Give the process an IAM role, or set AWS_PROFILE and run `aws sso login`.\n",
    ]);
  });

  test("an SSO session that has expired", async () => {
    const aws = join(stage.stand.workDir, ".aws");
    mkdirSync(join(aws, "sso/cache"), { recursive: true });
    writeFileSync(
      join(aws, "config"),
      `[profile work]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = reports
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
`,
    );
    const session = createHash("sha1").update("corp").digest("hex");
    writeFileSync(
      join(aws, `sso/cache/${session}.json`),
      JSON.stringify({ accessToken: "an-old-sso-token", expiresAt: "2020-01-01T00:00:00Z" }),
    );
    const work = stage.cli.with({
      LOOKER_BROKER_ENDPOINT: stage.stand.broker.endpoint,
      AWS_REGION: stage.stand.broker.region,
      AWS_PROFILE: "work",
    });
    expect(await line(work, ...get)).toEqual([
      3,
      "looker-token: The SSO session of the AWS profile work has expired or was never begun. Run `aws sso login --profile work`.\n",
    ]);
  });

  test("another region", async () => {
    expect(await line(signed(), ...get, "--region", "eu-west-1")).toEqual([
      2,
      "looker-token: The API at 127.0.0.1:PORT is not in the region eu-west-1. Pass the API's region as --region, or set AWS_REGION to it.\n",
    ]);
  });

  test("keys that AWS does not know", async () => {
    const [exitCode, text] = await line(signed({ AWS_ACCESS_KEY_ID: "ASIAAAAAAAAAAAAAAAAA" }), ...get);
    expect([exitCode, text]).toEqual([
      3,
      expect.stringMatching(
        /^looker-token: AWS does not know these credentials\. .*`aws sts get-caller-identity`/,
      ),
    ]);
  });

  test("not allowed by the caller's IAM policy", async () => {
    expect(await line(stage.cli, "get", "--scope", "finance", "--local", "--as", "report-service")).toEqual([
      3,
      expect.stringMatching(
        /^looker-token: IAM does not allow the call: .*POST\/scopes\/finance\/token because no identity-based policy allows the execute-api:Invoke action\. Check the scope's name.* must allow execute-api:Invoke .*\n$/,
      ),
    ]);
  });

  test("an unknown scope, or one that does not list the caller: the same", async () => {
    openFirstLock(stage.stand.broker, stage.caller("administrator").principal);
    for (const scope of ["nosuch", "sales"])
      expect(await line(stage.cli, "get", "--scope", scope, "--local", "--as", "administrator")).toEqual([
        3,
        "looker-token: The broker has no such scope, or the scope does not list this caller for it. Check the scope's name, and ask its owners to add your role to the scope's list. `looker-token whoami` shows your identity.\n",
      ]);
  });

  test("a scope that is frozen", async () => {
    await run("freeze", "--scope", "sales", "--reason", "incident 42");
    expect(await line(stage.cli, ...get, "--local")).toEqual([
      3,
      "looker-token: An operator has frozen the scope. Ask the scope's operators: `looker-token leases` shows them why.\n",
    ]);
  });

  test("a caller's name that no lease bears", async () => {
    expect(
      await line(stage.cli, "revoke", "--scope", "sales", "--caller", "nobody", "--yes", "--local"),
    ).toEqual([
      2,
      "looker-token: No listed lease belongs to a caller with the name nobody. `looker-token leases` lists the callers. For one without a lease, pass its IAM ARN.\n",
    ]);
  });

  test("with --json, as JSON on stderr", async () => {
    const { err, out, exitCode } = await stage.cli.run(
      "get",
      "--scope",
      "finance",
      "--local",
      "--as",
      "report-service",
      "--json",
    );
    expect([exitCode, out]).toEqual([3, ""]);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: "access_denied",
        message: expect.any(String),
        hint: expect.any(String),
        status: 403,
        request_id: expect.any(String),
      },
    });
  });

  test("on a terminal the name is red", async () => {
    expect((await onTerminal(["leases", "--scope", "sales", "--as", "report-service"])).text).toMatch(
      /^␛\[31mlooker-token:␛\[39m IAM/,
    );
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
