/** examples/curl, with the machine's own curl. */

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { listen } from "../../../local/loopback.ts";
import { callerOf, leaksIn, openFirstLock, sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { commandsOf, environmentOf, recipe, start } from "../../support/recipe.ts";

const stand = sharedStand();

afterEach(() => {
  stand.looker.control.clearFaults();
  stand.looker.control.resetLedger();
});

/** Every command line of curl, as `ps` would show it, is written to `argv` before the real one runs. */
function run(principal: string, args: string[], environment: Record<string, string> = {}) {
  const curl = execFileSync("sh", ["-c", "command -v curl"], { encoding: "utf8" }).trim();
  const argv = join(stand.workDir, "argv");
  rmSync(argv, { force: true });
  const script = `#!/bin/sh\nprintf '%s\\n' "$*" >>'${argv}'\nexec '${curl}' "$@"\n`;
  const env = environmentOf(stand, principal);
  const path = `${commandsOf(stand, { curl: { script } })}:${env.PATH}`;
  const { child, ended } = start(recipe("curl/looker.sh"), args, {
    env: { ...env, ...environment, PATH: path },
    // A process group of its own, which a terminal's Ctrl-C or a service manager signals as a whole.
    detached: true,
  });
  return {
    ended,
    signal: (name: NodeJS.Signals) => process.kill(-(child.pid ?? Number.NaN), name),
    commandLines: () => readFileSync(argv, "utf8").trim().split("\n"),
  };
}
const me = ["sales", "/api/4.0/user"];
const events = () => stand.looker.ledger().map(({ event }) => event);

test("gets a token, asks Looker with it, and ends it; no key or token stands on a command line", async () => {
  // Seen on its way: the token is nowhere else to be read.
  const seen = new Set(stand.secrets);
  const token = callerOf(stand, "report-service").token("sales");
  seen.add((await token).json.access_token);
  stand.looker.control.resetLedger();

  const { ended, commandLines } = run("report-service", me);
  const { exitCode, out, err } = await ended;
  expect([exitCode, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({ display_name: expect.any(String) });
  expect(events()).toEqual(["api", "logout"]);
  expect(stand.looker.control.liveTokens()).toEqual([]);

  expect(commandLines()).toHaveLength(3);
  expect(leaksIn(commandLines().join("\n"), seen)).toBe(0);
});

test("tells what the broker refuses, and asks Looker nothing", async () => {
  openFirstLock(stand.broker, callerOf(stand, "report-service").principal);
  const { exitCode, out, err } = await run("report-service", ["finance", "/api/4.0/user"]).ended;
  expect([exitCode, out, err]).toEqual([1, "", expect.stringContaining('"code":"not_allowed"')]);
  expect(stand.looker.ledger()).toEqual([]);
});

test("a slash behind the endpoint is no part of it, and brackets are Looker's", async () => {
  const { exitCode, err } = await run("report-service", ["sales", "/api/4.0/user?fields[0]={id}"], {
    LOOKER_BROKER_ENDPOINT: `${stand.broker.endpoint}/`,
  }).ended;
  expect([exitCode, err]).toEqual([0, ""]);
});

test("waits for a Looker that fails once", async () => {
  stand.looker.control.addFault({ route: "login", kind: "status", status: 500, times: 1 });
  const { exitCode, out } = await run("report-service", me).ended;
  expect([exitCode, JSON.parse(out)]).toEqual([0, expect.objectContaining({ id: expect.anything() })]);
  expect(events().slice(-3)).toEqual(["login", "api", "logout"]);
});

test.each([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s while Looker works ends the lease too", async (name, code) => {
  stand.looker.control.addFault({ route: "user", kind: "hold", times: 1 });
  const { ended, signal } = run("report-service", me);
  await untilSeen(() => stand.looker.control.inFlight().length > 0, "the call to Looker");
  signal(name);
  const { exitCode, out, err } = await ended;
  // Some shells say of what a command died.
  expect([exitCode, out, err]).toEqual([code, "", expect.stringMatching(/^\w*\n?$/)]);
  expect(stand.looker.control.liveTokens()).toEqual([]);
});

test.each([
  [
    "what API Gateway says to a wrong signature, without what was signed",
    403,
    JSON.stringify({ message: "It does not match.\n\nx-amz-security-token:SESSION" }),
    '{"message":"It does not match.\n',
  ],
  ["that something else answers", 200, "<html>Welcome</html>", "is no token broker:\n<html>Welcome</html>\n"],
  ["that it is sent elsewhere", 302, "", "is no token broker:\n\n"],
])("tells %s", async (_, status, body, told) => {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  const { url, close } = await listen(server);
  onTestFinished(close);
  const { exitCode, out, err } = await run("report-service", me, {
    LOOKER_BROKER_ENDPOINT: url,
  }).ended;
  expect([exitCode, out, err]).toEqual([1, "", expect.stringContaining(told)]);
  expect(err).not.toContain("SESSION");
});

test.each(["LOOKER_BROKER_ENDPOINT", "AWS_REGION"])("says that %s is missing", async (name) => {
  const { exitCode, err } = await run("report-service", me, { [name]: "" }).ended;
  expect([exitCode, err]).toEqual([2, expect.stringMatching(`${name}: is the`)]);
});
