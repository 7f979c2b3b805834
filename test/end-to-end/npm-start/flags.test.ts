/** Flags and variables of `npm start`. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startLooker } from "../../../local/looker/server.ts";
import { listen } from "../../../local/loopback.ts";
import { leaksIn, statusAtLooker } from "../../support/broker-stand.ts";
import { free, onCopyOfProject, post, stop } from "../../support/npm-start.ts";
import { refusingUrl } from "../../support/refusing-url.ts";

const { project, brokerFile, recordFile, npmStart, ready } = onCopyOfProject();

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

test("instances as processes: a killed one is replaced, and the lease outlives it", async () => {
  const started = npmStart([...free, "--instances", "processes"]);
  const broker = await ready(started);
  const first = await post(broker, "report-service", "/scopes/sales/token");
  expect(first.status).toBe(200);
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=,args=", "--ppid", String(broker.pid)]);
  const pids = stdout.split("\n").filter((line) => line.includes("runtime.mjs"));
  // Rotation, sweep and account check at the start, and the token.
  expect(pids).toHaveLength(4);
  for (const pid of pids) process.kill(Number.parseInt(pid, 10), "SIGKILL");
  // A request at this very moment may still reach the killed instance, as on Lambda: a 503, no more.
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
  // The first account checks come right after the start.
  const checkedScopes = 2;
  const logins = looker.ledger().filter(({ event }) => event === "login");
  expect(logins).toHaveLength(tokens.length + checkedScopes);

  // The client id is in audit lines on purpose, because it is not secret.
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

test.each([
  [["--prot", "1"], /--prot.*--help/],
  [["--port", "many"], /--port must be a whole number/],
  [["--instances", "pods"], /--instances must be threads or processes/],
  [["extra"], /extra/],
  [["--looker-url", "https://example.cloud.looker.com"], /LOOKERSDK_CLIENT_ID/],
  [["--looker-url", "http://example.cloud.looker.com"], /--looker-url must be an origin/],
])("%j exits 2 with one line that names the mistake", async (args, line) => {
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
  "a taken %s exits 1 with one line about the flag",
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

test.each([["AWS_ENDPOINT_URL_DYNAMODB"], ["AWS_ENDPOINT_URL_SECRETS_MANAGER"], ["AWS_ENDPOINT_URL_KMS"]])(
  "%s without a server behind it exits 1 with one line about the variable",
  async (variable) => {
    const started = npmStart(free, { [variable]: await refusingUrl() });
    expect(await started.exit).toBe(1);
    expect(started.errors()).toContain(variable);
    expect(started.errors().trimEnd().split("\n")).toHaveLength(1);
  },
);
