/** `looker-token doctor`: each check, its failures and its advice. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Listening, listen } from "../../../local/loopback.ts";
import { gatewayReply, plantedToken, problem, tokenReply } from "../../support/broker-replies.ts";
import { certificate } from "../../support/certificates.ts";
import { type Command, readable } from "../../support/cli/command.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";
import { onStage } from "../../support/cli/stage.ts";
import { FakeServer, type Reply } from "../../support/fake-server.ts";

interface Line {
  readonly check: string;
  readonly result: string;
  readonly found: string;
  readonly next?: string;
  readonly code?: string;
}

const names = [
  "program",
  "endpoint",
  "proxy",
  "network",
  "clock",
  "credentials",
  "identity",
  "scope",
  "token",
  "looker",
];

async function examined(cli: Command, ...args: string[]) {
  const { exitCode, out, err } = await cli.run("doctor", "--json", ...args);
  expect(err).toBe("");
  const { checks } = JSON.parse(out) as { checks: Line[] };
  expect(checks.map(({ check }) => check)).toEqual(names);
  const line = (check: string) => checks.find((each) => each.check === check) as Line;
  return { exitCode, line, word: (check: string) => line(check).result };
}

describe("against the local run", () => {
  const stage = onStage();

  test("all is well, in lines of 80 columns", async () => {
    const { exitCode, out, err } = await stage.run("doctor", "--scope", "sales");
    expect([exitCode, err]).toEqual([0, ""]);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const words = out.split("\n").filter((line) => /^\S/.test(line));
    expect(words.map((line) => line.split(/\s+/).slice(0, 2))).toEqual(names.map((name) => ["ok", name]));
    expect(out.trim().replace(/\s+/g, " ")).toMatch(
      /identity The broker knows you as arn:aws:iam::111122223333:role\/report-service .* looker Looker at 127.0.0.1:PORT takes the token of user 101\.$/,
    );
  });

  test("the token of the role is shared and not ended", async () => {
    const { access_token } = (await stage.caller("report-service").token("sales")).json;
    const { line } = await examined(stage.cli, "--local", "--scope", "sales");
    const { lease_id } = (await stage.caller("report-service").token("sales")).json;
    expect(line("token").found).toContain(`lease ${lease_id},`);
    expect(await stage.lookerTakes(access_token)).toBe(200);
  });

  test("words have colours on a terminal", async () => {
    const { text } = await stage.onTerminal(["doctor", "--scope", "sales"]);
    expect(text).toContain("␛[32mok␛[39m  program");
  });

  test("without a scope the last three checks are skipped, and the scopes are named", async () => {
    const { exitCode, line, word } = await examined(stage.cli, "--local");
    expect([exitCode, word("identity"), word("scope"), word("token"), word("looker")]).toEqual([
      ...[0, "ok", "skipped", "skipped", "skipped"],
    ]);
    expect(line("scope").found).toBe("Pass --scope NAME to check a scope. You are in sales.");
  });

  test("IAM refuses the caller", async () => {
    const { exitCode, line, word } = await examined(
      stage.cli,
      "--local",
      "--scope",
      "sales",
      "--as",
      "administrator",
    );
    expect([exitCode, word("identity"), word("scope")]).toEqual([3, "fail", "skipped"]);
    expect(line("identity")).toMatchObject({
      code: "access_denied",
      next: expect.stringContaining("execute-api:Invoke on GET /scopes"),
    });
  });

  test("the scope does not list the caller", async () => {
    const { exitCode, line } = await examined(
      stage.cli,
      "--local",
      "--scope",
      "finance",
      "--as",
      "report-service",
    );
    expect([exitCode, line("scope")]).toEqual([
      3,
      {
        check: "scope",
        result: "fail",
        code: "not_allowed",
        found: "The scope finance does not list you, or there is no such scope. You are in sales.",
        next: "Check its name, or ask its owners to add the ARN above to the scope's callers.",
      },
    ]);
  });
});

describe("against a broker of the test's own", () => {
  const caller = { arn: "arn:aws:iam::111122223333:role/job", account: "111122223333", unique_id: "AROAX" };
  const grant = { scope: "sales", base_url: "https://looker", lease_seconds: 900, may: ["token"] };
  const scopes: Reply = { status: 200, body: { caller, scopes: [grant] } };
  const sales = ["--scope", "sales"];

  let broker: FakeBroker;
  let looker: FakeServer;
  let token: Reply;
  let permissions: Reply;
  beforeEach(async () => {
    broker = await FakeBroker.start();
    looker = await FakeServer.start(() => ({ status: 200, body: { id: "7" } }));
    onTestFinished(() => looker.stop());
    [token, permissions] = [tokenReply("one", 900, looker.url), scopes];
    broker.instead = ({ path }) => (path.endsWith("/token") ? token : permissions);
  });

  test("no endpoint: a usage error, and later checks are skipped", async () => {
    const { exitCode, line, word } = await examined(broker.cli.without("LOOKER_BROKER_ENDPOINT"), ...sales);
    expect([exitCode, line("endpoint").code, word("proxy")]).toEqual([2, "no_endpoint", "ok"]);
    expect(names.slice(3).map(word)).toEqual(names.slice(3).map(() => "skipped"));
  });

  test("no region", async () => {
    const { exitCode, line } = await examined(broker.cli.without("AWS_REGION"), ...sales);
    expect([exitCode, line("endpoint").code]).toEqual([2, "no_region"]);
  });

  test("nobody is at the address, and the AWS credentials are looked at all the same", async () => {
    const gone = await FakeServer.start(() => "drop");
    await gone.stop();
    const cli = broker.cli.with({ LOOKER_BROKER_ENDPOINT: `${gone.url}/v1` });
    const { exitCode, line, word } = await examined(cli, ...sales);
    expect([exitCode, line("network").code, word("clock"), word("credentials")]).toEqual([
      ...[4, "unreachable", "skipped", "ok"],
    ]);
  });

  test("the name is not known", async () => {
    const cli = broker.cli.with({ LOOKER_BROKER_ENDPOINT: "https://broker.invalid/v1" });
    const { exitCode, line } = await examined(cli, ...sales);
    expect([exitCode, line("network").found]).toEqual([
      4,
      expect.stringMatching(/^The name broker\.invalid is not known here \(E\w+\)\.$/),
    ]);
  });

  test.each([
    [-3_600_000, 3, "fail", "is 1h 0m ahead of the answer's Date", "skipped"],
    [3_600_000, 3, "fail", /is (1h 0m|59m \d+s) behind the answer's Date/, "skipped"],
    [-60_000, 0, "warn", /is 1m \ds ahead of/, "ok"],
  ] as const)("the broker's clock is %s ms from ours", async (apartMs, code, result, found, identity) => {
    permissions = { ...scopes, headers: { date: new Date(Date.now() + apartMs).toUTCString() } };
    const { exitCode, line, word } = await examined(broker.cli, ...sales);
    expect([exitCode, line("clock").result, word("identity")]).toEqual([code, result, identity]);
    expect(line("clock").found).toMatch(found);
  });

  test("there are no AWS credentials", async () => {
    const { exitCode, line, word } = await examined(broker.cli.without("AWS_ACCESS_KEY_ID"), ...sales);
    expect([exitCode, line("credentials").code, word("identity")]).toEqual([3, "no_credentials", "skipped"]);
  });

  test("the AWS credentials do not come", async () => {
    const agent = await FakeServer.start(() => new Promise(() => {}));
    onTestFinished(() => agent.stop());
    const cli = broker.cli
      .without("AWS_ACCESS_KEY_ID")
      .with({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url });
    const { exitCode, out } = await cli.run("doctor", ...sales, "--json");
    const line = (JSON.parse(out).checks as Line[]).find(({ check }) => check === "credentials");
    expect([exitCode, line?.result, line?.code]).toEqual([4, "fail", "credentials_unavailable"]);
    expect(line?.found).toContain("(set: AWS_CONTAINER_CREDENTIALS_FULL_URI)");
  });

  test("a temporary key has no session token", async () => {
    const cli = broker.cli.with({ AWS_ACCESS_KEY_ID: "ASIAEXAMPLEEXAMPLE12" });
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
    const cli = broker.cli.with({
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

  test.each([
    ["bad_credentials", 3, gatewayReply(403, "UnrecognizedClientException", "invalid")],
    ["no_such_route", 2, gatewayReply(403, "ForbiddenException", "Forbidden")],
    ["not_a_broker", 4, { status: 200, body: "<html>" }],
  ] as const)("the broker's place answers %s", async (code, exitCode, reply) => {
    permissions = reply;
    const seen = await examined(broker.cli, ...sales);
    expect([seen.exitCode, seen.line("identity").code, seen.word("scope")]).toEqual([
      exitCode,
      code,
      "skipped",
    ]);
  });

  test("an operator who gets no token", async () => {
    permissions = { status: 200, body: { caller, scopes: [{ ...grant, may: ["operate"] }] } };
    const { exitCode, line } = await examined(broker.cli, ...sales);
    expect([exitCode, line("scope").found]).toEqual([
      3,
      "The scope sales lists you as an operator, who gets no token.",
    ]);
  });

  test("the scope is frozen", async () => {
    token = problem(403, "scope_frozen");
    const { exitCode, line, word } = await examined(broker.cli, ...sales);
    expect([exitCode, line("token").code, word("looker")]).toEqual([3, "scope_frozen", "skipped"]);
    expect(line("token").next).toContain("operators");
  });

  test.each([
    [401, "looker_refused_token", "does not take the token (401)"],
    [503, "looker_unavailable", "gave another answer than the user (503)"],
  ])("Looker answers %s", async (status, code, found) => {
    looker.answering = () => ({ status, body: {} });
    const { exitCode, line } = await examined(broker.cli, ...sales);
    expect([exitCode, line("looker").code]).toEqual([4, code]);
    expect(line("looker").found).toContain(found);
    expect(looker.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /api/4.0/user?fields=id",
    ]);
  });

  test("Looker's address would send the token in the clear", async () => {
    token = tokenReply("one", 900, "http://looker.example.com");
    const { exitCode, line } = await examined(broker.cli, ...sales);
    expect([exitCode, line("looker").result]).toEqual([1, "fail"]);
    expect(line("looker").found).toBe("Looker's address http://looker.example.com is not https.");
  });

  describe("by https", () => {
    const authority = certificate({ names: ["authority"] });

    async function https({ cert, key }: { cert: string; key: string }): Promise<Listening> {
      const server = createServer({ cert, key }, (_, response) => {
        response.setHeader("content-type", "application/json").end(JSON.stringify(permissions.body));
      });
      const listening = await listen(server);
      onTestFinished(() => listening.close());
      return listening;
    }

    const at = ({ url }: Listening, more: Record<string, string> = {}) =>
      broker.cli.with({ LOOKER_BROKER_ENDPOINT: `${url.replace("http:", "https:")}/v1`, ...more });

    test.each([
      ["is signed by nobody known", {}, /is not trusted here/, /NODE_EXTRA_CA_CERTS/],
      [
        "is over",
        { validUntil: new Date(Date.now() - 1_000) },
        /not valid at this machine's time/,
        /clock first/,
      ],
      ["is for another name", { names: ["other.example"] }, /is for another name than/, /endpoint's name/],
    ])("the certificate %s", async (which, more, found, next) => {
      const known = which === "is signed by nobody known" ? {} : { NODE_EXTRA_CA_CERTS: authorityFile() };
      const listening = await https(
        certificate({ names: ["127.0.0.1"], issuer: authority.authority, ...more }),
      );
      const { exitCode, line, word } = await examined(at(listening, known), ...sales);
      expect([exitCode, word("clock"), word("identity")]).toEqual([4, "skipped", "skipped"]);
      expect(line("network")).toMatchObject({
        found: expect.stringMatching(found),
        next: expect.stringMatching(next),
      });
    });

    function authorityFile(): string {
      const directory = mkdtempSync(join(tmpdir(), "ca-"));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      writeFileSync(join(directory, "ca.pem"), authority.cert);
      return join(directory, "ca.pem");
    }

    /** @returns its address with a user and password, and the hosts that it was asked for. */
    async function proxy(status: number): Promise<{ url: string; asked: string[] }> {
      const asked: string[] = [];
      const server = createHttpServer().on("connect", ({ url = "" }, client: Socket) => {
        asked.push(url);
        if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
        const upstream = connect(Number(url.split(":")[1]), "127.0.0.1", () => {
          client.write("HTTP/1.1 200 OK\r\n\r\n");
          client.pipe(upstream).pipe(client);
        });
        for (const each of [client, upstream]) each.on("error", () => {});
      });
      const listening = await listen(server);
      onTestFinished(() => listening.close());
      return { url: listening.url.replace("//", "//me:proxy-password@"), asked };
    }

    const trusted = () => https(certificate({ names: ["127.0.0.1"], issuer: authority.authority }));

    test("HTTPS_PROXY is used, for the calls of every command as well", async () => {
      const [listening, through] = [await trusted(), await proxy(200)];
      const cli = at(listening, { NODE_EXTRA_CA_CERTS: authorityFile(), HTTPS_PROXY: through.url });
      const { exitCode, out, err } = await cli.run("whoami");
      expect([exitCode, err, out]).toEqual([0, "", expect.stringContaining(caller.arn)]);
      expect(through.asked).toEqual([new URL(listening.url).host]);
      const { word, line } = await examined(cli, ...sales);
      expect([word("proxy"), word("network"), word("identity")]).toEqual(["ok", "ok", "ok"]);
      expect(line("proxy").found).toMatch(/^HTTPS_PROXY \(http:\/\/…@127\.0\.0\.1:\d+\) is used/);
    });

    test("NO_PROXY leaves the broker out", async () => {
      const [listening, through] = [await trusted(), await proxy(200)];
      const cli = at(listening, {
        NODE_EXTRA_CA_CERTS: authorityFile(),
        HTTPS_PROXY: through.url,
        NO_PROXY: "127.0.0.1",
      });
      expect([(await cli.run("whoami")).exitCode, through.asked]).toEqual([0, []]);
    });

    test("the proxy refuses", async () => {
      const [listening, through] = [await trusted(), await proxy(407)];
      const { exitCode, line } = await examined(at(listening, { HTTPS_PROXY: through.url }), ...sales);
      expect([exitCode, line("network").next]).toEqual([
        4,
        expect.stringContaining("proxy's address, user and password"),
      ]);
    });

    test("a proxy that Node does not read is a warning", async () => {
      const [listening, through] = [await trusted(), await proxy(200)];
      const more = {
        NODE_EXTRA_CA_CERTS: authorityFile(),
        HTTPS_PROXY: through.url,
        NODE_USE_ENV_PROXY: "0",
      };
      const { word, line } = await examined(at(listening, more), ...sales);
      expect([word("proxy"), word("network"), through.asked]).toEqual(["warn", "ok", []]);
      expect(line("proxy").next).toContain("NODE_USE_ENV_PROXY=1");
    });
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
      const cli = broker.cli.with({ ...secrets, ...more });
      const [text, json] = [await cli.run("doctor", ...sales), await cli.run("doctor", ...sales, "--json")];
      const all = [text.out, text.err, json.out, json.err].join("\n");
      expect(all).toContain("credentials");
      expect(all).not.toContain("planted");
      expect(all).not.toContain(key);
      expect(all).not.toContain(plantedToken("one"));
    });

    test("an answer that repeats the request", async () => {
      const cli = broker.cli.with(secrets);
      looker.answering = ({ headers }) => ({ status: 401, body: { message: headers.authorization } });
      const { out, err } = await cli.run("doctor", ...sales);
      expect(readable(out)).toContain("does not take the token");
      expect(out + err).not.toContain(plantedToken("one"));
    });
  });
});
