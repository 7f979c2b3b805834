/** What `looker-token` prints, in a pipe and under a terminal, against a whole local broker. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { writeBrokerFile } from "../../local/broker-file.ts";
import {
  type Caller,
  callerOf,
  leaksIn,
  openFirstLock,
  type Stand,
  startStand,
  startsWithinMs,
  statusAtLooker,
  untilSeen,
} from "../../test/end-to-end/stand.ts";
import { Command, type Ran, readable } from "./cli/command.ts";
import { emptyTable } from "./cli/empty-table.ts";
import { ctrlC, ctrlD } from "./cli/pseudo-terminal.ts";

let stand: Stand;
let reports: Caller;
let nightly: Caller;
let money: Caller;
let cli: Command;
/** All that was printed but by `get`: no token and no key may stand there. */
const printed: string[] = [];

beforeAll(async () => {
  stand = await startStand();
  writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
  [reports, nightly, money] = [
    callerOf(stand, "report-service"),
    callerOf(stand, "nightly-job"),
    callerOf(stand, "finance-service"),
  ];
  cli = new Command(stand.workDir);
}, startsWithinMs);
afterAll(() => stand?.stop());
afterEach(async () => {
  stand.broker.looker?.control.clearFaults();
  await emptyTable(stand.broker);
  expect(leaksIn(printed.splice(0).join("\n"), stand.secrets)).toBe(0);
});

async function run(...args: string[]): Promise<Ran> {
  const ran = await cli.run(...args, "--local");
  printed.push(ran.out, ran.err);
  return { ...ran, out: readable(ran.out), err: readable(ran.err) };
}

async function onTerminal(args: string[], ...keys: Parameters<Command["onTerminal"]>[1][]) {
  const shown = await cli.onTerminal([...args, "--local"], ...keys);
  printed.push(shown.text);
  return { ...shown, text: readable(shown.text) };
}

const lookerTakes = (token: string) => statusAtLooker(stand.broker.lookerUrl, token);

describe("get", () => {
  test("in a pipe it prints the token, which Looker takes, and nothing else anywhere", async () => {
    const { out, err, exitCode } = await cli.run("get", "--scope", "sales", "--local");
    expect([exitCode, err]).toEqual([0, ""]);
    expect(out.endsWith("\n")).toBe(true);
    expect(await lookerTakes(out.trimEnd())).toBe(200);
  });

  test("--header, --env and --json have the same token in their forms", async () => {
    const { access_token, lease_id } = (await reports.token("sales")).json;
    const get = (...args: string[]) => cli.run("get", "--scope", "sales", "--local", ...args);
    expect((await get("--header")).out === `Authorization: Bearer ${access_token}\n`).toBe(true);
    const script = `${(await get("--env")).out}\nprintf %s "$LOOKER_ACCESS_TOKEN $LOOKERSDK_BASE_URL"`;
    const seen = execFileSync("sh", ["-c", script], { encoding: "utf8" });
    expect(seen === `${access_token} ${stand.broker.lookerUrl}`).toBe(true);
    const { access_token: same, ...rest } = JSON.parse((await get("--json")).out);
    expect(same === access_token).toBe(true);
    expect(rest).toEqual({
      token_type: "Bearer",
      expires_in: expect.any(Number),
      scope: "sales",
      lease_id,
      base_url: stand.broker.lookerUrl,
    });
  });

  test("on a terminal it says beside the token what that means", async () => {
    const { access_token } = (await reports.token("sales")).json;
    const { text, exitCode } = await cli.onTerminal(["get", "--scope", "sales", "--local"]);
    expect(exitCode).toBe(0);
    expect(readable(text.replace(access_token, "TOKEN"))).toBe(
      "TOKEN\n␛[2mA secret, now in this terminal's scrollback; `looker-token exec` passes it on unseen.\n␛[22m",
    );
  });

  test("the scope and the endpoint also come from the environment", async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = reports.principal;
    const { out, exitCode } = await cli
      .with({
        LOOKER_BROKER_ENDPOINT: stand.broker.endpoint,
        LOOKER_BROKER_SCOPE: "sales",
        AWS_REGION: stand.broker.region,
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
      arn: reports.principal.roleArn,
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
    openFirstLock(stand.broker, callerOf(stand, "administrator").principal);
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
      out: "revoked  1 lease of your leases in sales; Looker confirmed its end\n",
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
    stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    const { exitCode, out } = await run("logout", "--scope", "sales");
    expect([exitCode, out]).toEqual([
      5,
      expect.stringMatching(/^pending {2}1 lease of your leases in sales; .* not confirmed dead/),
    ]);
  });
});

describe("leases", () => {
  test("in a pipe: a table without colours", async () => {
    await reports.token("sales");
    await nightly.token("sales");
    expect(await run("leases", "--scope", "sales")).toEqual({
      exitCode: 0,
      err: "",
      out: `\
CALLER  LEASE  STATE  AGE  REMAINING  CREDENTIAL
arn:aws:iam::111122223333:role/nightly-job  ID  live  SPAN  SPAN  ID
arn:aws:iam::111122223333:role/report-service  ID  live  SPAN  SPAN  ID
`,
    });
  });

  test("on a terminal: the same with colours, unless NO_COLOR is set", async () => {
    await reports.token("sales");
    await money.token("finance");
    const { text } = await onTerminal(["leases", "--all-scopes"]);
    expect(text).toBe(`\
␛[1mSCOPE  CALLER  LEASE  STATE  AGE  REMAINING  CREDENTIAL␛[22m
sales  arn:aws:iam::111122223333:role/report-service  ID  ␛[32mlive␛[39m  SPAN  SPAN  ID
finance  arn:aws:iam::111122223333:role/finance-service  ID  ␛[32mlive␛[39m  SPAN  SPAN  ID
`);
    const monochrome = await cli.with({ NO_COLOR: "1" }).onTerminal(["leases", "--all-scopes", "--local"]);
    expect(monochrome.text).not.toContain("\x1b");
  });

  test("--json is what the broker says, of all pages, by scope", async () => {
    const { lease_id } = (await reports.token("sales")).json;
    const { out } = await cli.run("leases", "--all-scopes", "--json", "--local");
    printed.push(out);
    const { scopes } = JSON.parse(out);
    expect(scopes).toMatchObject([
      { scope: "sales", leases: [{ lease_id, state: "live", caller: reports.principal.roleArn }] },
      { scope: "finance", leases: [] },
    ]);
  });
});

describe("revoke", () => {
  const reportsOnly = [
    "revoke",
    "--scope",
    "sales",
    "--caller",
    "arn:aws:iam::111122223333:role/report-service",
  ];

  test("on a terminal it shows the count and asks; no, and the end of the input, leave all as it was", async () => {
    const { json } = await reports.token("sales");
    for (const type of ["n\n", "\n", "yess\n", ctrlD]) {
      const shown = await onTerminal(reportsOnly, { after: "End them? [y/N] ", type });
      expect(shown.text).toMatch(
        /^To be ended \(caller arn:aws:iam::111122223333:role\/report-service\):\n {2}sales: 1 lease\nEnd them\? \[y\/N\] /,
      );
      expect(shown.text).toMatch(/Nothing was done\.\n$/);
      expect([shown.exitCode, shown.sane]).toEqual([1, true]);
    }
    expect(await lookerTakes(json.access_token)).toBe(200);
  });

  test("after a yes the last line says that it is dead, and it is", async () => {
    const { json } = await reports.token("sales");
    const other = (await nightly.token("sales")).json;
    expect(await onTerminal(reportsOnly, { after: "[y/N] ", type: "y\n" })).toEqual({
      exitCode: 0,
      sane: true,
      text: `\
To be ended (caller arn:aws:iam::111122223333:role/report-service):
  sales: 1 lease
End them? [y/N] y
␛[32mrevoked␛[39m  1 lease of sales; Looker confirmed its end
`,
    });
    expect([await lookerTakes(json.access_token), await lookerTakes(other.access_token)]).toEqual([401, 200]);
  });

  test("Ctrl-C at the question ends nothing and leaves the terminal sane", async () => {
    const { json } = await reports.token("sales");
    const shown = await onTerminal(reportsOnly, { after: "[y/N] ", type: ctrlC });
    expect([shown.exitCode, shown.sane]).toEqual([130, true]);
    expect(await lookerTakes(json.access_token)).toBe(200);
  });

  test("in a pipe it wants --yes or --dry-run, before it asks the broker for anything", async () => {
    expect(await run(...reportsOnly)).toEqual({
      exitCode: 2,
      out: "",
      err: "looker-token: Nobody can be asked here: add --yes, or count with --dry-run first.\n",
    });
  });

  test("--dry-run only counts", async () => {
    const { json } = await reports.token("sales");
    expect((await run(...reportsOnly, "--dry-run")).out).toBe(
      "1 lease would be ended (caller arn:aws:iam::111122223333:role/report-service)\n",
    );
    expect(JSON.parse((await run("revoke", "--all-scopes", "--all", "--dry-run", "--json")).out)).toEqual({
      matched: 1,
      scopes: [
        { scope: "sales", matched: 1 },
        { scope: "finance", matched: 0 },
      ],
    });
    expect(await lookerTakes(json.access_token)).toBe(200);
  });

  test.each<[string, (lease: { lease_id: string }) => string[]]>([
    ["its lease id", ({ lease_id }) => ["--lease-id", lease_id]],
    ["when it was issued", () => ["--issued-before", "0s"]],
    [
      "when it was issued and by whom",
      () => [
        "--issued-before",
        new Date().toISOString(),
        "--caller",
        "arn:aws:iam::111122223333:role/report-service",
      ],
    ],
    ["everything", () => ["--all"]],
  ])("ends a lease by %s", async (_, filter) => {
    const { json } = await reports.token("sales");
    const { out, exitCode } = await run("revoke", "--scope", "sales", "--yes", ...filter(json));
    expect([exitCode, out]).toEqual([0, "revoked  1 lease of sales; Looker confirmed its end\n"]);
    expect(await lookerTakes(json.access_token)).toBe(401);
  });

  test("in all scopes, a line for each and the total last", async () => {
    await Promise.all([reports.token("sales"), nightly.token("sales"), money.token("finance")]);
    expect(await run("revoke", "--all-scopes", "--all", "--yes")).toEqual({
      exitCode: 0,
      err: "",
      out: `\
revoked  2 leases of sales; Looker confirmed each one's end
revoked  1 lease of finance; Looker confirmed its end
revoked  3 leases of 2 scopes; Looker confirmed each one's end
`,
    });
  });

  test("while Looker does not confirm it says pending, exit code 5", async () => {
    await reports.token("sales");
    stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    expect(await run(...reportsOnly, "--yes", "--wait", "0")).toEqual({
      exitCode: 5,
      err: "",
      out: "pending  1 lease of sales; given to nobody any more, but not confirmed dead: the broker goes on trying\n",
    });
    const json = JSON.parse((await run(...reportsOnly, "--yes", "--wait", "0", "--json")).out);
    expect(json).toMatchObject({ outcome: "pending", revoked: 0, pending: 1, scopes: [{ scope: "sales" }] });
  });

  test("shows its progress until Looker confirms, and leaves the caller's new lease alone", async () => {
    await reports.token("sales");
    stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    const running = cli.start(...reportsOnly, "--yes", "--local");
    await untilSeen(() => running.err().includes("1 pending, 0 revoked"), "progress");
    const fresh = (await reports.token("sales")).json;
    stand.broker.looker?.control.clearFaults();
    const { exitCode, out, err } = await running.ended;
    expect([exitCode, readable(out)]).toEqual([0, "revoked  1 lease of sales; Looker confirmed its end\n"]);
    expect(readable(err)).toMatch(/^(1 pending, 0 revoked, for SPAN\n)+$/);
    expect(await lookerTakes(fresh.access_token)).toBe(200);
  });

  test("Ctrl-C while it is pending says so, and leaves the terminal sane", async () => {
    await reports.token("sales");
    stand.broker.looker?.control.addFault({ route: "logout", kind: "status", status: 500 });
    const shown = await onTerminal([...reportsOnly, "--yes"], { after: "1 pending", type: ctrlC });
    expect([shown.exitCode, shown.sane]).toEqual([130, true]);
    expect(shown.text).toMatch(/␛\[33mpending␛\[39m {2}1 lease of sales; .*\n$/);
  });
});

describe("freeze", () => {
  const freeze = ["freeze", "--scope", "sales", "--reason", "incident 42"];

  test("ends what was given out and serves nothing, until the scope is unfrozen", async () => {
    const { json } = await reports.token("sales");
    expect((await run(...freeze)).out).toBe(
      "frozen  sales: nothing of it is served any more\nrevoked  1 lease of sales; Looker confirmed its end\n",
    );
    expect(await lookerTakes(json.access_token)).toBe(401);
    expect((await run("get", "--scope", "sales")).exitCode).toBe(3);
    expect((await run("leases", "--scope", "sales")).out).toBe(
      "frozen  sales, by arn:aws:iam::111122223333:role/platform-engineer at TIME: incident 42\nNo leases in sales.\n",
    );
    expect((await run("unfreeze", "--scope", "sales")).out).toBe(
      "unfrozen  sales; callers get new leases again\n",
    );
    expect((await reports.token("sales")).status).toBe(200);
  });

  test("--json has the freeze as the broker recorded it", async () => {
    expect(JSON.parse((await run(...freeze, "--json")).out)).toMatchObject({
      outcome: "revoked",
      scopes: [
        {
          scope: "sales",
          frozen: { by: expect.stringContaining("platform-engineer"), reason: "incident 42" },
        },
      ],
    });
    expect(JSON.parse((await run("unfreeze", "--all-scopes", "--json")).out)).toEqual({
      scopes: [
        { scope: "sales", frozen: null },
        { scope: "finance", frozen: null },
      ],
    });
  });

  test("wants a reason, and a yes for all scopes", async () => {
    expect(await run("freeze", "--scope", "sales")).toMatchObject({
      exitCode: 2,
      err: expect.stringMatching(/Why\?/),
    });
    const shown = await onTerminal(["freeze", "--all-scopes", "--reason", "x"], {
      after: "[y/N] ",
      type: "n\n",
    });
    expect(shown).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(/^Freeze sales, finance, and end all their leases\?/),
    });
    expect((await reports.token("sales")).status).toBe(200);
  });
});

describe("what is wrong and what to try, in one line", () => {
  const get = ["get", "--scope", "sales"];

  async function line(command: Command, ...args: string[]): Promise<[number, string]> {
    const { exitCode, out, err } = await command.run(...args);
    printed.push(out, err);
    expect(out).toBe("");
    return [exitCode, readable(err)];
  }

  /** With the caller's own keys, as outside the local run. */
  const signed = (more: Record<string, string> = {}) => {
    const { accessKeyId, secretAccessKey, sessionToken } = reports.principal;
    return cli.with({
      LOOKER_BROKER_ENDPOINT: stand.broker.endpoint,
      AWS_REGION: stand.broker.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      ...more,
    });
  };

  test("no endpoint", async () => {
    expect(await line(cli, ...get)).toEqual([
      2,
      "looker-token: It is not known where the token broker is. Pass --endpoint, or set LOOKER_BROKER_ENDPOINT, to the https URL that the deployment printed; --local finds the broker of `npm start`.\n",
    ]);
  });

  test("no broker runs on this machine", async () => {
    const elsewhere = join(stand.workDir, "..");
    expect(await line(new Command(elsewhere), ...get, "--local")).toEqual([
      2,
      "looker-token: No broker runs here: there is no .local/broker.json in this directory or above; `npm start` starts one.\n",
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
    const wrong = stand.broker.endpoint.replace(/\/v1$/, "/v2");
    expect(await line(signed(), ...get, "--endpoint", wrong)).toEqual([
      3,
      "looker-token: There is no broker at this path of 127.0.0.1:PORT: Forbidden. Check the endpoint: it must end with the stage, as in https://….amazonaws.com/v1.\n",
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
      "looker-token: What 127.0.0.1:PORT answered does not come from a token broker (200, text/html). Check the endpoint: what answers there is something else, such as a proxy or another site.\n",
    ]);
  });

  test("no credentials", async () => {
    const bare = cli.with({ LOOKER_BROKER_ENDPOINT: stand.broker.endpoint, AWS_REGION: stand.broker.region });
    expect(await line(bare, ...get)).toEqual([
      3,
      "looker-token: No AWS credentials were found (CredentialsProviderError). Give the process an IAM role, or set AWS_PROFILE and run `aws sso login`.\n",
    ]);
  });

  test("an SSO session that has expired", async () => {
    const aws = join(stand.workDir, ".aws");
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
    const work = cli.with({
      LOOKER_BROKER_ENDPOINT: stand.broker.endpoint,
      AWS_REGION: stand.broker.region,
      AWS_PROFILE: "work",
    });
    expect(await line(work, ...get)).toEqual([
      3,
      "looker-token: The SSO session of the AWS profile work has expired or was never begun. Run `aws sso login --profile work`.\n",
    ]);
  });

  test("another region", async () => {
    expect(await line(signed(), ...get, "--region", "eu-west-1")).toEqual([
      3,
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
    expect(await line(cli, "get", "--scope", "finance", "--local", "--as", "report-service")).toEqual([
      3,
      expect.stringMatching(
        /^looker-token: IAM does not allow the call: .*POST\/scopes\/finance\/token\. Add execute-api:Invoke .*\n$/,
      ),
    ]);
  });

  test("an unknown scope, or one that does not list the caller: the same", async () => {
    openFirstLock(stand.broker, callerOf(stand, "administrator").principal);
    for (const scope of ["nosuch", "sales"])
      expect(await line(cli, "get", "--scope", scope, "--local", "--as", "administrator")).toEqual([
        3,
        "looker-token: The broker has no such scope, or the scope does not list this caller for it. Check the scope's name, and ask its owners to add your role to the scope's list; `looker-token whoami` shows who you are to the broker.\n",
      ]);
  });

  test("a scope that is frozen", async () => {
    await run("freeze", "--scope", "sales", "--reason", "incident 42");
    expect(await line(cli, ...get, "--local")).toEqual([
      3,
      "looker-token: The scope is frozen. An operator has frozen the scope. No token is given until an operator unfreezes it. Ask the scope's operators: `looker-token leases` shows them why.\n",
    ]);
  });

  test("a filter that the broker does not understand", async () => {
    expect(
      await line(cli, "revoke", "--scope", "sales", "--caller", "report-service", "--yes", "--local"),
    ).toEqual([
      2,
      "looker-token: The request is not valid. caller: must be an ARN like arn:aws:iam::111122223333:role/name, without path, session or wildcard.\n",
    ]);
  });

  test("with --json, as JSON on stderr", async () => {
    const { err, out, exitCode } = await cli.run(
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
