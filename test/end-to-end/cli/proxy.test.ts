/** `looker-token exec --proxy` and `looker-token proxy` as processes: settings, files, signals, exit codes. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { plantedToken, tokenReply } from "../../support/broker-replies.ts";
import { untilSeen } from "../../support/broker-stand.ts";
import { findLeaks } from "../../support/canary.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";
import { type Asked, FakeServer } from "../../support/fake-server.ts";

const real = plantedToken("lease-1");

async function stage() {
  const looker = await FakeServer.start(() => ({ status: 200, body: { display_name: "Reports" } }));
  onTestFinished(() => looker.stop());
  const broker = await FakeBroker.start();
  const asked: Asked[] = [];
  broker.instead = (request) => {
    asked.push(request);
    return request.path.endsWith("/logout")
      ? { status: 200, body: { revoked: 1, pending: 0 } }
      : tokenReply("lease-1", 900, looker.url);
  };
  const directory = mkdtempSync(join(tmpdir(), "proxy-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return { cli: broker.cli, looker, asked, directory };
}

/** Logs in as a tool does, calls Looker, and shows all that it has seen. */
const tool = `
  const { LOOKERSDK_BASE_URL: base, LOOKERSDK_CLIENT_ID, LOOKERSDK_CLIENT_SECRET } = process.env;
  const body = new URLSearchParams({ client_id: LOOKERSDK_CLIENT_ID, client_secret: LOOKERSDK_CLIENT_SECRET });
  const login = await (await fetch(base + "/api/4.0/login", { method: "POST", body })).json();
  const headers = { authorization: "Bearer " + login.access_token };
  const user = await fetch(base + "/api/4.0/user", { headers });
  console.log(JSON.stringify({ environment: process.env, login, headers: [...user.headers], user: await user.json() }));
  const { status } = await fetch(base + "/api/4.0/logout", { method: "DELETE", headers });
  process.exit(status === 204 ? 7 : 1);
`;

test("a tool with the pair works, and sees the real token nowhere", async () => {
  const { cli, looker, asked, directory } = await stage();
  const ini = join(directory, "looker.ini");
  const options = ["--proxy", "--env", "MY_URL={base}/", "--ini", ini];
  const { exitCode, out, err } = await cli
    .with({ LOOKER_ACCESS_TOKEN: real, LOOKER_API_ENDPOINT: "https://looker.example/api/4.0/" })
    .run("exec", "--scope", "sales", ...options, "--", process.execPath, "-e", `${tool}`);
  expect([exitCode, err]).toEqual([7, ""]);
  const seen = JSON.parse(out);
  expect(seen.user).toEqual({ display_name: "Reports" });
  expect(looker.asked.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ["/api/4.0/user", `Bearer ${real}`],
  ]);
  expect(seen.environment).toMatchObject({ MY_URL: `${seen.environment.LOOKERSDK_BASE_URL}/` });
  expect(seen.environment).not.toHaveProperty("LOOKER_API_ENDPOINT");
  expect(findLeaks(`${out}${err}`, [["the real token", real]])).toEqual([]);
  const { session } = JSON.parse(asked[0]?.text ?? "");
  expect(session).toMatch(/^exec-[0-9a-f]{12}$/);
  expect(asked.map(({ path, text }) => [path.split("/").at(-1), JSON.parse(text).session])).toEqual([
    ["token", session],
    ["logout", session],
  ]);
  expect(existsSync(ini)).toBe(false);
});

test("--ini is there for the command alone, and holds the local pair", async () => {
  const { cli, directory } = await stage();
  const ini = join(directory, "looker.ini");
  const script = `stat -c %a "$0"; cat "$0"; echo "$LOOKERSDK_BASE_URL $LOOKERSDK_CLIENT_ID $LOOKERSDK_CLIENT_SECRET"`;
  const { out } = await cli.run(
    ...["exec", "--scope", "sales", "--proxy", "--ini", ini, "--", "sh", "-c", script, ini],
  );
  const [mode, , section, ...fields] = out.trim().split("\n");
  const values = (fields.pop() ?? "").split(" ");
  expect([mode, section, fields.map((field) => field.split("=")[1])]).toEqual(["600", "[Looker]", values]);
  expect(findLeaks(out, [["the real token", real]])).toEqual([]);
});

test("a looker.ini of the user's own is neither replaced nor removed, and no token is asked for", async () => {
  const { cli, asked, directory } = await stage();
  const ini = join(directory, "looker.ini");
  writeFileSync(ini, "[Looker]\nclient_secret=mine\n");
  const { exitCode, err } = await cli.run(
    ...["exec", "--scope", "sales", "--proxy", "--ini", ini, "--", "true"],
  );
  expect([exitCode, err]).toEqual([2, expect.stringMatching(/was not written by looker-token/)]);
  expect([asked, readFileSync(ini, "utf8")]).toEqual([[], "[Looker]\nclient_secret=mine\n"]);
});

test("--shared uses the role's token, and ends nothing", async () => {
  const { cli, asked } = await stage();
  await cli.run("exec", "--scope", "sales", "--proxy", "--shared", "--", "true");
  expect(asked.map(({ text }) => JSON.parse(text))).toEqual([{ min_ttl_seconds: 60 }]);
});

test("the proxy ends with its command, also by a signal", async () => {
  const { cli, asked } = await stage();
  const script = 'echo "$LOOKERSDK_BASE_URL"; exec sleep 60';
  const running = cli.start("exec", "--scope", "sales", "--proxy", "--", "sh", "-c", script);
  await untilSeen(() => running.out().includes("\n"), "the command");
  const url = running.out().trim();
  expect((await fetch(`${url}/api/4.0/user`)).status).toBe(401);
  running.child.kill("SIGTERM");
  expect((await running.ended).exitCode).toBe(143);
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  expect(asked.at(-1)?.path).toMatch(/logout$/);
});

test("a sidecar prints the settings, serves until TERM, and leaves the shared token alone", async () => {
  const { cli, asked } = await stage();
  const running = cli.start("proxy", "--scope", "sales", "--env", "LOOKER_PORT={port}");
  await untilSeen(() => running.err().includes("until it is stopped"), "the proxy");
  const settings = Object.fromEntries(
    running
      .out()
      .trim()
      .split("\n")
      .map((line) => line.split("=")),
  );
  const { LOOKERSDK_BASE_URL: url, LOOKERSDK_CLIENT_ID: id, LOOKERSDK_CLIENT_SECRET: secret } = settings;
  expect(url).toBe(`http://127.0.0.1:${settings.LOOKER_PORT}`);
  const body = new URLSearchParams({ client_id: id, client_secret: secret });
  expect((await fetch(`${url}/api/login`, { method: "POST", body })).status).toBe(200);
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({
    exitCode: 0,
    err: `The proxy listens at ${url} until it is stopped.\n`,
  });
  expect(asked.map(({ text }) => JSON.parse(text))).toEqual([{ min_ttl_seconds: 60 }]);
});

test("a sidecar with a pair of the environment's prints no secret, and writes its files for the neighbour", async () => {
  const { cli, directory } = await stage();
  const settingsFile = join(directory, "env");
  const pair = { LOOKER_PROXY_CLIENT_ID: "pod", LOOKER_PROXY_CLIENT_SECRET: "only-within-this-pod" };
  const running = cli.with(pair).start("proxy", "--scope", "sales", "--settings", settingsFile);
  await untilSeen(() => running.err().includes("until it is stopped"), "the proxy");
  expect([running.out(), statSync(settingsFile).mode & 0o777]).toEqual(["", 0o600]);
  const lines = readFileSync(settingsFile, "utf8").trim().split("\n").slice(1);
  expect(lines.slice(1)).toEqual(["LOOKERSDK_CLIENT_ID=pod", "LOOKERSDK_CLIENT_SECRET=only-within-this-pod"]);
  running.child.kill("SIGINT");
  expect((await running.ended).exitCode).toBe(0);
  expect(existsSync(settingsFile)).toBe(false);
});

test("a sidecar finishes a request under way before it goes", async () => {
  const { cli, looker } = await stage();
  const pair = { LOOKER_PROXY_CLIENT_ID: "pod", LOOKER_PROXY_CLIENT_SECRET: "only-within-this-pod" };
  const running = cli.with(pair).start("proxy", "--scope", "sales");
  await untilSeen(() => running.err().includes("until it is stopped"), "the proxy");
  const url = /http:\S+/.exec(running.err())?.[0] ?? "";
  const body = new URLSearchParams({ client_id: "pod", client_secret: "only-within-this-pod" });
  const { access_token } = (await (await fetch(`${url}/login`, { method: "POST", body })).json()) as {
    access_token: string;
  };
  looker.answering = () =>
    new Promise((resolve) => setTimeout(() => resolve({ status: 200, body: { late: true } }), 500));
  const answer = fetch(`${url}/api/4.0/x`, { headers: { authorization: `token ${access_token}` } });
  await untilSeen(() => looker.asked.length > 0, "the request");
  running.child.kill("SIGTERM");
  expect(await (await answer).json()).toEqual({ late: true });
  expect((await running.ended).exitCode).toBe(0);
});

test.each([
  [
    "a port that is taken",
    (port: number) => ["--port", String(port)],
    /^looker-token: Port \d+ is in use: choose/,
  ],
  ["a port that is none", () => ["--port", "65536"], /^looker-token: --port takes a number from 0 to 65535/],
])("%s is told of before a token is asked for", async (_, optionsFor, message) => {
  const { cli, looker, asked } = await stage();
  const options = optionsFor(Number(new URL(looker.url).port));
  const { exitCode, err } = await cli.run("proxy", "--scope", "sales", ...options);
  expect([exitCode, err, asked]).toEqual([2, expect.stringMatching(message), []]);
});
