/** `npm run probe` as a process of its own, against the local broker as it is, and with one hole at a time. */

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { writeBrokerFile } from "../../local/broker-file.ts";
import { listen } from "../../local/loopback.ts";
import type { LocalPrincipal } from "../../local/principals.ts";
import { callerOf, leaksIn, openFirstLock, sharedStand } from "../support/broker-stand.ts";

const stand = sharedStand();
beforeAll(() => {
  writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
});

const program = fileURLToPath(new URL("../../probe/probe.ts", import.meta.url));

interface Run {
  code: number | null;
  output: string;
  errors: string;
}

async function probe(
  args: readonly string[],
  environment: Record<string, string> = {},
  cwd = stand.workDir,
): Promise<Run> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: stand.workDir,
      AWS_EC2_METADATA_DISABLED: "true",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  expect(leaksIn(output + errors, stand.secrets)).toBe(0);
  return { code, output, errors };
}

const local = (...args: string[]) => probe(["--local", "--scope", "sales", ...args]);

const named = (name: string) => callerOf(stand, name).principal;

const keys = ({ accessKeyId, secretAccessKey, sessionToken }: LocalPrincipal) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
});

/** The lines that tell of a surprise, with one space between their columns. */
const surprises = ({ output }: Run) =>
  output
    .split("\n")
    .filter((line) => line.startsWith(" ✗"))
    .map((line) => line.replace(/ +/g, " ").slice(3));

describe("a broker as it should be", () => {
  test("a caller sees all as expected, in a table that says what was tried", async () => {
    await callerOf(stand, "report-service").token("sales");
    const run = await local("--looker", "--logout");
    await callerOf(stand, "report-service").token("sales");
    expect(leaksIn(run.output, stand.secrets)).toBe(0);
    expect(run).toMatchObject({ code: 0, errors: "" });
    await expect(run.output.replace(stand.broker.endpoint, "http://127.0.0.1:PORT/v1")).toMatchFileSnapshot(
      "probe-table.txt",
    );
  });

  test("an operator sees the operator's verbs work, and no token", async () => {
    const run = await local("--as", "platform-engineer", "--json");
    const { may, results } = JSON.parse(run.output);
    expect([run.code, may]).toEqual([0, ["operate"]]);
    const seen = results
      .filter(({ section }: { section: string }) => section === "What the caller may do, and what not")
      .map(({ what, seen }: Record<string, string>) => [what, seen]);
    expect(Object.fromEntries(seen)).toEqual({
      "token, of no length": "403 AccessDenied (API Gateway)",
      "logout, of no lease": "403 AccessDenied (API Gateway)",
      "list leases": "200",
      "revoke, of nobody and as a dry run": "200",
      "freeze, without a reason": "400 bad_request (broker)",
      "unfreeze, with an unknown query": "400 bad_request (broker)",
    });
  });

  test("where a caller's IAM policy allows everything, the scopes' own lists refuse the rest", async () => {
    withFirstLockOpen("nightly-job");
    const run = await local("--as", "nightly-job");
    expect([run.code, surprises(run)]).toEqual([0, []]);
    expect(run.output).toMatch(/✓ {2}list leases +403 +403 not_allowed \(broker\)/);
    expect(run.output).toMatch(/✓ {2}a scope of others: token.*403 not_allowed \(broker\)/);
  });

  test("without --logout the runner's lease lives on, and what was not tried says with which flag", async () => {
    const reports = callerOf(stand, "report-service");
    const { json } = await reports.token("sales");
    const run = await probe(
      ["--endpoint", stand.broker.endpoint, "--region", stand.broker.region, "--scope", "sales"],
      keys(reports.principal),
    );
    expect((await reports.token("sales")).json.lease_id).toBe(json.lease_id);
    expect(run.code).toBe(0);
    expect(run.output.match(/not tried: give .*/g)).toEqual([
      "not tried: give --without-policy-profile PROFILE",
      "not tried: give --other-scope NAME",
      "not tried: give --looker",
      "not tried: give --logout",
    ]);
  });

  test("a profile without a policy is refused by API Gateway", async () => {
    const run = await withProfile("administrator");
    expect([run.code, run.errors]).toEqual([0, ""]);
    expect(run.output).toMatch(/✓ {2}token, of no length +403 AccessDenied by API Gateway/);
  });
});

function withProfile(name: string): Promise<Run> {
  const { accessKeyId, secretAccessKey, sessionToken } = named(name);
  const file = join(stand.workDir, "credentials");
  const lines = [
    "[bystander]",
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    `aws_session_token = ${sessionToken}`,
  ];
  writeFileSync(file, lines.join("\n"), { mode: 0o600 });
  return probe(
    [
      ...["--endpoint", stand.broker.endpoint, "--scope", "sales"],
      ...["--without-policy-profile", "bystander"],
    ],
    {
      ...keys(named("report-service")),
      AWS_REGION: stand.broker.region,
      AWS_SHARED_CREDENTIALS_FILE: file,
    },
  );
}

function withFirstLockOpen(name: string): void {
  const principal = named(name);
  const before = principal.allow.length;
  openFirstLock(stand.broker, principal);
  onTestFinished(() => void (principal.allow as string[]).splice(before));
}

describe("a broker with a hole", () => {
  test("the API lets in the account's principals whatever their IAM policy: each route says so", async () => {
    withFirstLockOpen("administrator");
    const run = await local();
    expect(run.code).toBe(1);
    const let_through =
      "403 AccessDenied by API Gateway 403 not_allowed (broker): API Gateway let it through";
    expect(surprises(run)).toEqual([
      "who am I 403 AccessDenied by API Gateway 200: let in",
      `token, of no length ${let_through}`,
      `logout, of no lease ${let_through}`,
      `list leases ${let_through}`,
      `revoke, of nobody and as a dry run ${let_through}`,
      `freeze, without a reason ${let_through}`,
      `unfreeze, with an unknown query ${let_through}`,
    ]);
  });

  test("a method without AWS_IAM: its unsigned request comes through", async () => {
    const route = stand.broker.stack.routes.find(({ resource }) => resource === "/scopes/{scope}/token");
    Object.assign(route ?? {}, { authorization: "NONE" });
    onTestFinished(() => void Object.assign(route ?? {}, { authorization: "AWS_IAM" }));
    const run = await local();
    expect(run.code).toBe(1);
    expect(surprises(run)).toContain(
      "unsigned: token, of no length 403 by API Gateway 403 not_allowed (broker): API Gateway let it through",
    );
  });

  type Hole = (
    message: IncomingMessage,
    answer: { status: number; text: string; headers: Record<string, string> },
  ) => { status?: number; json?: object; headers?: Record<string, string> } | undefined;
  const at = (message: IncomingMessage, method: string, path: string) =>
    message.method === method && message.url === `/v1${path}`;
  const problem = (status: number, code: string) => ({
    status,
    json: { status, code, title: code, request_id: "r" },
    headers: { "content-type": "application/problem+json" },
  });

  test.each<[string, Hole, string[]]>([
    [
      "a header that is believed",
      ({ headers }) =>
        headers["x-forwarded-user"] ? { json: { caller: { arn: "arn:aws:iam::1:role/x" } } } : undefined,
      ["header x-forwarded-user 403, or still the same caller 200: another caller"],
    ],
    [
      "an operator's verb for everybody",
      (message) => (at(message, "PUT", "/scopes/sales/freeze") ? problem(400, "bad_request") : undefined),
      [
        "unsigned: freeze, without a reason 403 by API Gateway 400 bad_request (broker): let in",
        "freeze, without a reason 403 AccessDenied by API Gateway 400 bad_request (broker): let in",
        "freeze, without a reason 403 400 bad_request (broker): let in",
      ],
    ],
    [
      "a path that opens more when it is encoded",
      (message) => (at(message, "POST", "/scopes/%66inance/token") ? problem(403, "not_allowed") : undefined),
      [
        "POST /scopes/%66inance/token no further than the plain path 403 not_allowed (broker), beside 403 AccessDenied (API Gateway): refused by the broker, the plain path is refused by API Gateway",
      ],
    ],
    [
      "a body that is not measured",
      (message) => (Number(message.headers["content-length"]) > 4_096 ? { json: {} } : undefined),
      ["token, with 5 KB of body 413 payload_too_large 200"],
    ],
    [
      "a token that may be stored",
      (message, { status }) =>
        status === 200 && at(message, "POST", "/scopes/sales/token")
          ? { headers: { "cache-control": "max-age=60" } }
          : undefined,
      ["a token 200, not stored, 1 to 900 s 200: Cache-Control is not no-store"],
    ],
    [
      "a token that another lease is given for each time",
      (message, { status, text }) =>
        status === 200 && at(message, "POST", "/scopes/sales/token")
          ? { json: { ...JSON.parse(text), lease_id: `other-${Math.random()}` } }
          : undefined,
      ["a token again 200, the same lease 200: another lease"],
    ],
    [
      "a logout that ends nothing",
      (message, { status }) =>
        status === 200 && at(message, "POST", "/scopes/sales/logout")
          ? { json: { revoked: 1, pending: 0 } }
          : undefined,
      ["logout once more 200, 0 revoked, 0 pending 200, 1 revoked, 0 pending"],
    ],
    [
      "a function that fails on what it does not know",
      (message) => (at(message, "POST", "/scopes/sales/token/more") ? { status: 500, json: {} } : undefined),
      ["POST /scopes/sales/token/more 403 by API Gateway 500 MissingAuthenticationToken (API Gateway)"],
    ],
  ])("%s: exit code 1, and the line names it", async (what, hole, lines) => {
    const run = await behind(hole, what.startsWith("a logout") ? ["--logout"] : []);
    expect([surprises(run), run.code]).toEqual([lines, 1]);
  });

  test("a refusal that tells that a scope exists: exit code 1, and the line names it", async () => {
    withFirstLockOpen("report-service");
    const run = await behind((message) =>
      at(message, "POST", "/scopes/finance/logout")
        ? { ...problem(403, "not_allowed"), json: { code: "not_allowed", title: "Not a caller" } }
        : undefined,
    );
    expect([surprises(run), run.code]).toEqual([
      [
        "a scope of others: logout, of no lease 403, the same as for no such scope 403 not_allowed (broker): the answers differ",
      ],
      1,
    ]);
  });

  /** The broker behind a proxy that changes what `hole` says. The signature is over the proxy's own name, as it is passed on. */
  async function behind(hole: Hole, args: readonly string[] = []): Promise<Run> {
    const { port } = new URL(stand.broker.endpoint);
    const proxy = createServer((message, response) => {
      const { method, url, headers } = message;
      const onward = request({ host: "127.0.0.1", port, method, path: url, headers }, async (incoming) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const answer = {
          status: incoming.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          headers: incoming.headers as Record<string, string>,
        };
        const changed = hole(message, answer);
        const { "content-length": _, ...kept } = { ...answer.headers, ...changed?.headers };
        response.writeHead(changed?.status ?? (changed?.json ? 200 : answer.status), kept);
        response.end(changed?.json ? JSON.stringify(changed.json) : answer.text);
      });
      message.pipe(onward);
    });
    const { url, close } = await listen(proxy);
    onTestFinished(close);
    const elsewhere = join(stand.workDir, "behind-a-proxy");
    const endpoint = `${url}/v1`;
    writeBrokerFile(join(elsewhere, ".local/broker.json"), { ...stand.broker, endpoint });
    return probe(["--local", "--scope", "sales", ...args], {}, elsewhere);
  }
});

describe("what cannot be run says in one line what to do", () => {
  const endpoint = () => ["--endpoint", stand.broker.endpoint, "--scope", "sales"];
  const region = ["--region", "us-east-1"];

  test.each<[string[], RegExp]>([
    [["--endpont", "x"], /--endpont.*--help/],
    [["--scope", "sales"], /^Give --endpoint URL/],
    [["--local"], /^Give --scope NAME/],
    [["--local", "--scope", "Sales"], /^--scope must be a scope's name/],
    [["--endpoint", "http://broker.example.com/v1", "--scope", "sales"], /^--endpoint must be a URL like/],
    [["--endpoint", "https://broker.example.com", "--scope", "sales"], /give --region/],
  ])("%j: exit code 2", async (args, line) => {
    const run = await probe(args);
    expect([run.code, run.output]).toEqual([2, ""]);
    expect(run.errors).toMatch(line);
    expect(run.errors.trimEnd().split("\n")).toHaveLength(1);
  });

  const keysOf = (name: string) => () => keys(named(name));
  test.each<[string, () => string[], () => Record<string, string>, RegExp]>([
    [
      "no credentials",
      () => [...endpoint(), ...region],
      () => ({}),
      /^There are no AWS credentials .*sign in/,
    ],
    [
      "no such profile",
      () => [...endpoint(), ...region, "--without-policy-profile", "absent"],
      keysOf("report-service"),
      /^The profile absent has no credentials/,
    ],
    [
      "keys that AWS does not know",
      () => [...endpoint(), ...region],
      () => ({ AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "unknown" }),
      /^AWS does not accept these credentials/,
    ],
    [
      "another region",
      () => [...endpoint(), "--region", "eu-west-1"],
      keysOf("report-service"),
      /^The API is not in the region eu-west-1: give its own with --region/,
    ],
    [
      "an endpoint at which nothing listens",
      () => ["--endpoint", "http://127.0.0.1:9/v1", "--scope", "sales", ...region],
      keysOf("report-service"),
      /cannot be reached \(ECONNREFUSED\): check --endpoint/,
    ],
    [
      "an endpoint without its stage",
      () => ["--endpoint", new URL(stand.broker.endpoint).origin, "--scope", "sales", ...region],
      keysOf("report-service"),
      /^There is no broker at .*give the endpoint with its stage/,
    ],
    [
      "a runner whom IAM does not allow to ask",
      () => [...endpoint(), ...region],
      keysOf("administrator"),
      /does not allow GET \/scopes/,
    ],
    [
      "a scope of others",
      () => ["--local", "--scope", "finance", "--as", "report-service"],
      () => ({}),
      /neither a caller nor an operator of finance/,
    ],
    [
      "a local principal that there is not",
      () => ["--local", "--scope", "sales", "--as", "nobody"],
      () => ({}),
      /^There is no local principal nobody: there are report-service/,
    ],
  ])("%s: exit code 3", async (_, args, environment, line) => {
    const run = await probe(args(), environment());
    expect([run.code, run.output]).toEqual([3, ""]);
    expect(run.errors).toMatch(line);
    expect(run.errors.trimEnd().split("\n")).toHaveLength(1);
  });

  test("--help shows how it is run", async () => {
    const run = await probe(["--help"]);
    expect([run.code, run.errors]).toEqual([0, ""]);
    expect(run.output).toContain("npm run probe -- --endpoint https://");
  });
});
