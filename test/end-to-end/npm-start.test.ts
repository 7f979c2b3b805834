/** What `npm start` runs, as a process of its own, in a copy of the project: the developer's own run stays untouched. */

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startLooker } from "../../local/looker/server.ts";
import { listen } from "../../local/loopback.ts";
import { leaksIn, statusAtLooker } from "../support/broker-stand.ts";
import { sendSigned } from "../support/raw-request.ts";
import { refusingUrl } from "../support/refusing-url.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const project = realpathSync(mkdtempSync(join(tmpdir(), "token-broker-start-")));
const brokerFile = join(project, ".local/broker.json");
const recordFile = join(project, ".local/records.jsonl");
const free = ["--port", "0", "--looker-port", "0"];

beforeAll(() => {
  const parts = ["functions", "infra", "local", "client", "cli", "package.json", "cdk.json", "tsconfig.json"];
  for (const part of parts) cpSync(join(root, part), join(project, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  // A broker that is killed leaves its file, and the next test must not find it.
  rmSync(brokerFile, { force: true });
});

interface Started {
  child: ChildProcess;
  output(): string;
  errors(): string;
  exit: Promise<number | null>;
}

function npmStart(args: string[], environment: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ["local/start.mjs", ...args], {
    cwd: project,
    env: { PATH: process.env.PATH ?? "", HOME: project, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let [output, errors] = ["", ""];
  child.stdout?.on("data", (text) => {
    output += text;
  });
  child.stderr?.on("data", (text) => {
    errors += text;
  });
  const exit = new Promise<number | null>((resolve) =>
    child.once("close", (code) => {
      children.delete(child);
      resolve(code);
    }),
  );
  return { child, output: () => output, errors: () => errors, exit };
}

interface BrokerFile {
  pid: number;
  endpoint: string;
  region: string;
  looker_url: string;
  looker_control_url?: string;
  lookers: { in_place_of: string; url: string; control_url: string }[];
  secrets: string[];
  endpoints: Record<string, string>;
  principals: Record<
    string,
    { access_key_id: string; secret_access_key: string; session_token: string; scopes: string[] }
  >;
}

async function ready(started: Started): Promise<BrokerFile> {
  const begun = Date.now();
  while (!started.output().includes("The broker is running.")) {
    if (Date.now() - begun > 60_000 || started.child.exitCode !== null)
      throw new Error(`It did not start: ${started.errors()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return JSON.parse(readFileSync(brokerFile, "utf8"));
}

async function post(broker: BrokerFile, name: string, path: string) {
  const keys = broker.principals[name];
  const { port, pathname } = new URL(broker.endpoint);
  const { status, text, headers } = await sendSigned(Number(port), `${pathname}${path}`, {
    method: "POST",
    credentials: {
      accessKeyId: keys?.access_key_id ?? "",
      secretAccessKey: keys?.secret_access_key ?? "",
      sessionToken: keys?.session_token ?? "",
    },
    region: broker.region,
  });
  return { status, headers, text, json: JSON.parse(text) };
}

const stop = ({ child, exit }: Started) => {
  child.kill("SIGINT");
  return exit;
};

const keysOf = (broker: BrokerFile) =>
  Object.values(broker.principals).flatMap((each) => [each.secret_access_key, each.session_token]);

/** Every file below `folder` but links to others, read whole. */
function filesBelow(folder: string): [path: string, content: string][] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path, "latin1")]);
}

/** Command lines of all processes, and the environments of this one's descendants but the first of them. */
function processList(ancestor: number): string {
  if (!existsSync("/proc/self/cmdline")) return "";
  const read = (path: string) => {
    try {
      return readFileSync(path, "latin1");
    } catch {
      return "";
    }
  };
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parentOf = (pid: string) => Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  const below = pids.filter((pid) => parentOf(pid) === ancestor);
  return [
    ...pids.map((pid) => read(`/proc/${pid}/cmdline`)),
    ...below.map((pid) => read(`/proc/${pid}/environ`)),
  ].join("\n");
}

test("it says when it is ready, what it prints works in a shell, and Ctrl-C ends it with 0", async () => {
  const started = npmStart(free);
  const broker = await ready(started);
  expect(broker.pid).toBe(started.child.pid);
  expect(statSync(brokerFile).mode & 0o777).toBe(0o600);

  const commands = started.output().split("another terminal in this directory:")[1] ?? "";
  const { stdout } = await promisify(execFile)("bash", ["-euc", `${commands}\necho; echo "TOKEN $TOKEN"`], {
    cwd: project,
  });
  expect(stdout).toContain('"Service account of looker/sales"');
  expect(stdout).toContain('{"revoked":1,"pending":0}');
  const token = /^TOKEN (\S+)$/m.exec(stdout)?.[1] ?? "";
  expect(await statusAtLooker(broker.looker_url, token)).toBe(401);

  const ledger = (await (await fetch(`${broker.looker_control_url}/ledger`)).json()) as { event: string }[];
  expect(ledger.map(({ event }) => event)).toEqual(["login", "api", "logout", "api_unauthorized"]);
  expect(await stop(started)).toBe(0);
  expect(existsSync(brokerFile)).toBe(false);
  expect(started.errors()).toBe("");
  expect(leaksIn(started.output(), [token, ...keysOf(broker)])).toBe(0);

  // Its records outlive it, and can be asked.
  expect(statSync(recordFile).mode & 0o777).toBe(0o600);
  const caller = "arn:aws:iam::111122223333:role/report-service";
  const asked = await promisify(execFile)(
    process.execPath,
    ["local/ask.ts", "what-did-this-caller-do", "--caller", caller, "--json"],
    { cwd: project },
  );
  const answer = JSON.parse(asked.stdout) as { verb: string; outcome: string }[];
  expect(answer.map(({ verb, outcome }) => [verb, outcome])).toEqual([
    ["logout", "revoked"],
    ["token", "minted"],
  ]);
});

/** The tutorial shows the output of one run. These parts of it differ in the next run. */
const masks: [what: RegExp, mask: string][] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"],
  [/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, "REQUEST"],
  [/\b[\da-f]{20}\b/g, "ID"],
  [/127\.0\.0\.1:\d+/g, "ADDRESS"],
  [/\b(?:\d+m )?\d+s\b/g, "DURATION"],
  [/ +/g, " "],
];
const masked = (text: string) =>
  masks.reduce((rest, [what, mask]) => rest.replaceAll(what, mask), text.trim());

test("the tutorial's commands, typed one after the other, print the output that it shows", async () => {
  const page = readFileSync(join(root, "docs/tutorials/first-token.md"), "utf8");
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, kind, text = ""]) => ({
    kind,
    text,
  }));
  const [start, ...steps] = blocks;
  expect(start).toEqual({ kind: "sh", text: "npm ci\nnpm start\n" });
  const started = npmStart(free);
  await ready(started);

  const end = "--- end of a block";
  const script = steps.flatMap(({ kind, text }) => (kind === "sh" ? [text, `echo "${end}"\n`] : [])).join("");
  const { stdout, stderr } = await promisify(execFile)("bash", ["-euc", script], { cwd: project });
  expect(stderr).toBe("");
  const printed = stdout.split(`${end}\n`).slice(0, -1);
  const promised = steps.flatMap(({ kind }, at) => {
    const after = steps[at + 1];
    return kind === "sh" ? [after?.kind === "text" ? after.text : ""] : [];
  });
  expect(promised.filter((text) => text !== "").length).toBeGreaterThan(4);
  expect(printed.map(masked)).toEqual(promised.map(masked));
  expect(await stop(started)).toBe(0);
});

describe("another shell", () => {
  /** A developer's own AWS profile must not win over the keys of the local run. */
  const type = (script: string) =>
    promisify(execFile)("sh", ["-euc", script], {
      cwd: project,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: project,
        AWS_PROFILE: "elsewhere",
        AWS_SESSION_TOKEN: "old",
      },
    });

  test("the commands that it prints get a token, show it to Looker and end it", async () => {
    const started = npmStart(free);
    await ready(started);
    const [, commands = ""] = /^Try it as .*$([\s\S]*)/m.exec(started.output()) ?? [];
    const { stdout, stderr } = await type(commands);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/"display_name":"Service account of looker\/sales".*{"revoked":1,"pending":0}/s);
  });

  test("README's commands and its three lines of a service work, and nothing of npm's is in TOKEN", async () => {
    await ready(npmStart(free));
    const page = readFileSync(join(root, "README.md"), "utf8");
    const [commands = ""] = /^eval "[\s\S]*?(?=^```$)/m.exec(page) ?? [];
    expect(commands.split("\n")).toHaveLength(3);
    const [, diff = ""] = /^```diff\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const lines = diff.split("\n").flatMap((line) => (line.startsWith("+") ? [line.slice(1)] : []));
    const service = `import { Looker40SDK } from "@looker/sdk";\n${lines.join("\n")}\nconsole.log(await sdk.ok(sdk.me()));`;
    writeFileSync(join(project, "service.mjs"), service);
    const { stdout, stderr } = await type(
      `${commands}printf '<%s>\\n' "$TOKEN"\n"${process.execPath}" --import ./cli/from-source.mjs service.mjs`,
    );
    expect(stderr).toBe("");
    const [, token = "", user] = /^<(\S+)>\n([\s\S]*)/.exec(stdout) ?? [];
    const { looker_url } = JSON.parse(readFileSync(brokerFile, "utf8")) as BrokerFile;
    expect(await statusAtLooker(looker_url, token)).toBe(200);
    expect(user).toContain("Service account of looker/sales");
  });
});

test("no page shows npm run looker-token without --silent, because npm's own lines would be captured", () => {
  const { stdout } = spawnSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" });
  const pages = stdout.trim().split("\n");
  expect(pages).toContain("README.md");
  const loud = /npm run looker-token/;
  expect(pages.filter((page) => loud.test(readFileSync(join(root, page), "utf8")))).toEqual([]);
});

/** Command lines of all processes below this one. */
async function descendantsOf(pid = 0): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,args="]);
  const processes = stdout.split("\n").map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const below = new Set([String(pid)]);
  // Parents have started before their children, but numbers may have come round: until nothing is added.
  for (let before = 0; before < below.size; ) {
    before = below.size;
    for (const [, own = "", parent = ""] of processes) if (below.has(parent)) below.add(own);
  }
  return processes.map(([, own = "", , args]) => (below.has(own) ? `${args}\n` : "")).join("");
}

test.each(["SIGTERM", "SIGHUP"] as const)(
  "%s while it starts ends it with 0 and leaves no file",
  async (signal) => {
    const started = npmStart(free);
    // Its stack is being synthesized: it has begun, and is far from ready.
    await vi.waitFor(async () => expect(await descendantsOf(started.child.pid)).toContain("infra/app.ts"), {
      timeout: 60_000,
      interval: 50,
    });
    started.child.kill(signal);
    expect(await started.exit).toBe(0);
    expect([existsSync(brokerFile), started.errors()]).toEqual([false, ""]);
  },
);

test("instances as processes: one that is killed is replaced, and the lease outlives it", async () => {
  const started = npmStart([...free, "--instances", "processes"]);
  const broker = await ready(started);
  const first = await post(broker, "report-service", "/scopes/sales/token");
  expect(first.status).toBe(200);
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=,args=", "--ppid", String(broker.pid)]);
  const pids = stdout.split("\n").filter((line) => line.includes("runtime.ts"));
  expect(pids).toHaveLength(1);
  process.kill(Number.parseInt(pids[0] ?? "", 10), "SIGKILL");
  // Whoever asks at this very moment may still be given to the one that was killed, as on Lambda: a 503, no more.
  let second = await post(broker, "report-service", "/scopes/sales/token");
  for (let tries = 0; second.status === 503 && tries < 20; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    second = await post(broker, "report-service", "/scopes/sales/token");
  }
  expect(second.json.lease_id).toBe(first.json.lease_id);
  expect(second.json.access_token === first.json.access_token).toBe(true);
  expect(await stop(started)).toBe(0);
});

test("--looker-url: every scope uses that Looker, and its credentials are in no file, log or process list", async () => {
  const [clientId, clientSecret] = ["elsewhereClient0001", "elsewhereSecret000000002"];
  const looker = await startLooker({
    accounts: [{ userId: "900", displayName: "Elsewhere", credentials: [{ clientId, clientSecret }] }],
  });
  onTestFinished(() => looker.close());
  const started = npmStart(["--port", "0", "--looker-url", looker.url, "--instances", "processes"], {
    LOOKERSDK_CLIENT_ID: clientId,
    LOOKERSDK_CLIENT_SECRET: clientSecret,
  });
  const broker = await ready(started);
  expect(broker).toMatchObject({ looker_url: looker.url });
  expect(broker.looker_control_url).toBeUndefined();
  const tokens: string[] = [];
  for (const [name, scope] of [
    ["report-service", "sales"],
    ["nightly-job", "sales"],
    ["finance-service", "finance"],
  ] as const) {
    const { status, json } = await post(broker, name, `/scopes/${scope}/token`);
    expect(status).toBe(200);
    expect(json.base_url).toBe(looker.url);
    expect(await statusAtLooker(looker.url, json.access_token)).toBe(200);
    tokens.push(json.access_token);
  }
  expect(looker.ledger().filter(({ event }) => event === "login")).toHaveLength(3);

  // The client id is in audit lines on purpose; it is no secret.
  const secrets = [clientSecret, ...tokens];
  const files = filesBelow(join(project, ".local"));
  expect(files.map(([path]) => path)).toEqual(expect.arrayContaining([brokerFile, recordFile]));
  const withAny = (searched: string[]) =>
    files.filter(([, content]) => leaksIn(content, searched) > 0).map(([path]) => path);
  expect(withAny(secrets)).toEqual([]);
  expect(withAny([clientId])).toEqual([recordFile]);
  expect(leaksIn(processList(broker.pid), [clientId, ...secrets])).toBe(0);
  expect(leaksIn(started.output() + started.errors(), secrets)).toBe(0);

  expect((await post(broker, "finance-service", "/scopes/finance/logout")).json).toEqual({
    revoked: 1,
    pending: 0,
  });
  expect(await stop(started)).toBe(0);
  expect(leaksIn(started.output() + started.errors(), secrets)).toBe(0);
});

test("--scopes: runs the operator's own file, with a stand-in for each of its Lookers, secrets, callers and operators", async () => {
  const started = npmStart([...free, "--scopes", "infra/scopes.ts"]);
  const broker = await ready(started);
  expect(Object.keys(broker.principals)).toEqual([
    "report-service",
    "nightly-example",
    "AWSReservedSSO_SalesAnalyst_example",
    "platform-engineer",
    "finance-service",
    "administrator",
  ]);
  expect(broker.secrets).toEqual([
    "looker/sales",
    "arn:aws:secretsmanager:us-east-1:444455556666:secret:looker/finance-a1B2c3",
  ]);
  expect(started.output()).toContain("(stand-in for https://example.cloud.looker.com)");
  expect(started.output()).toContain("tokens of sales\n");
  // A caller of another account, by a secret of a third one.
  for (const [name, scope] of [
    ["nightly-example", "sales"],
    ["finance-service", "finance"],
  ] as const) {
    const { status, json } = await post(broker, name, `/scopes/${scope}/token`);
    expect(status).toBe(200);
    expect(json.base_url).toBe(broker.lookers[0]?.url);
    expect(await statusAtLooker(json.base_url, json.access_token)).toBe(200);
  }
  expect((await post(broker, "finance-service", "/scopes/sales/token")).status).toBe(403);
  expect(await stop(started)).toBe(0);
});

test("--scopes: each Looker has a stand-in of its own, and settings without a place on this machine are named", async () => {
  const scope = (host: string) => ({
    lookerUrl: `https://${host}`,
    secret: { secretName: `looker/${host}` },
    callers: ["arn:aws:iam::111122223333:role/reports"],
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
  });
  const scopes = { sales: scope("sales.example.com"), finance: scope("finance.example.com") };
  writeFileSync(
    join(project, "own.mjs"),
    `export const scopes = ${JSON.stringify(scopes)};
     export const settings = () => ({ organizationId: "o-a1b2c3d4e5", vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"], memorySize: 1024 });`,
  );
  const started = npmStart([...free, "--scopes", "own.mjs"]);
  const broker = await ready(started);
  expect(started.output()).toContain(
    "Left out of the settings, because they need AWS: organizationId, vpcEndpointIds.\n",
  );
  expect(broker.lookers.map(({ in_place_of }) => in_place_of)).toEqual([
    "https://sales.example.com",
    "https://finance.example.com",
  ]);
  for (const [at, name] of Object.keys(scopes).entries()) {
    const { json } = await post(broker, "reports", `/scopes/${name}/token`);
    expect(json.base_url).toBe(broker.lookers[at]?.url);
    expect(await statusAtLooker(json.base_url, json.access_token)).toBe(200);
  }
  expect(await stop(started)).toBe(0);
});

test("--scopes: a wrong file exits 1 with a line for each mistake", async () => {
  writeFileSync(join(project, "wrong.mjs"), "export const scopes = { sales: { lease: 1 } };");
  const started = npmStart([...free, "--scopes", "wrong.mjs"]);
  expect(await started.exit).toBe(1);
  const [first, second] = started.errors().split("\n");
  expect(first).toBe("looker-token-broker/Broker cannot be built:");
  expect(second).toBe('  - scope "sales": lease: there is no such field. Did you mean leaseSeconds?');
  expect(existsSync(brokerFile)).toBe(false);
});

test.each([
  [["--prot", "1"], /--prot.*--help/],
  [["--port", "many"], /--port must be a whole number/],
  [["--instances", "pods"], /--instances must be threads or processes/],
  [["extra"], /extra/],
  [["--looker-url", "https://example.cloud.looker.com"], /LOOKERSDK_CLIENT_ID/],
  [["--looker-url", "http://example.cloud.looker.com"], /--looker-url must be an origin/],
])("%j exits 2 with one line that says what to do", async (args, line) => {
  const started = npmStart(args);
  expect(await started.exit).toBe(2);
  expect(started.errors()).toMatch(line);
  expect(started.errors().trimEnd().split("\n")).toHaveLength(1);
  expect(started.output()).toBe("");
});

test("--help exits 0", async () => {
  const started = npmStart(["--help"]);
  expect(await started.exit).toBe(0);
  expect(started.output()).toContain("--looker-url URL");
});

test.each(["--port", "--looker-port", "--looker-control-port"])(
  "a taken %s exits 1 with one line that names the flag",
  async (flag) => {
    const { port, close } = await listen(createServer());
    onTestFinished(close);
    const started = npmStart([...free.filter((_, at) => free[at - (at % 2)] !== flag), flag, String(port)]);
    expect(await started.exit).toBe(1);
    expect(started.errors()).toBe(
      `Port ${port} is in use: choose another with ${flag} (0 picks a free one).\n`,
    );
    expect(existsSync(brokerFile)).toBe(false);
  },
);

/** What `npm run ask` prints, in the copy of the project. */
const ask = (...args: string[]) =>
  promisify(execFile)(process.execPath, ["local/ask.ts", ...args], { cwd: project });

test("a second start fails before it touches anything: the running one's records, stack and keys stay", async () => {
  const running = npmStart(free);
  const broker = await ready(running);
  expect((await post(broker, "report-service", "/scopes/sales/token")).status).toBe(200);
  const before = [readFileSync(recordFile, "utf8"), readFileSync(brokerFile, "utf8")];
  const second = npmStart(free);
  expect(await second.exit).toBe(1);
  expect(second.errors()).toMatch(
    new RegExp(`^A broker is running here \\(pid ${broker.pid}\\): stop it first.*\n$`),
  );
  expect([readFileSync(recordFile, "utf8"), readFileSync(brokerFile, "utf8")]).toEqual(before);
  expect((await post(broker, "report-service", "/scopes/sales/token")).status).toBe(200);
  expect(JSON.parse((await ask("who-holds-tokens-now", "--json")).stdout)).toHaveLength(1);
  expect(await stop(running)).toBe(0);
  expect(existsSync(join(project, ".local/broker.lock"))).toBe(false);
});

test("a run that was killed leaves its records and a lock that is nobody's; a torn line is left out and counted", async () => {
  const killed = npmStart(free);
  const broker = await ready(killed);
  expect((await post(broker, "report-service", "/scopes/sales/token")).status).toBe(200);
  killed.child.kill("SIGKILL");
  await killed.exit;
  appendFileSync(recordFile, '{"time":"2026-11-24T20:3');

  const { port, close } = await listen(createServer());
  onTestFinished(close);
  const failing = npmStart(["--port", String(port), "--looker-port", "0"]);
  expect(await failing.exit).toBe(1);
  expect(failing.errors()).toContain(`Port ${port} is in use`);
  const asked = await ask("who-holds-tokens-now", "--json");
  expect(JSON.parse(asked.stdout)).toHaveLength(1);
  expect(asked.stderr).toBe("Left out: 1 line of .local/records.jsonl that cannot be read.\n");

  const next = npmStart(free);
  await ready(next);
  expect(JSON.parse((await ask("who-holds-tokens-now", "--json")).stdout)).toEqual([]);
  expect(await stop(next)).toBe(0);
});

test.each([["AWS_ENDPOINT_URL_DYNAMODB"], ["AWS_ENDPOINT_URL_SECRETS_MANAGER"], ["AWS_ENDPOINT_URL_KMS"]])(
  "%s at which nothing listens exits 1 with one line that names it",
  async (variable) => {
    const started = npmStart(free, { [variable]: await refusingUrl() });
    expect(await started.exit).toBe(1);
    expect(started.errors()).toContain(variable);
    expect(started.errors().trimEnd().split("\n")).toHaveLength(1);
  },
);
