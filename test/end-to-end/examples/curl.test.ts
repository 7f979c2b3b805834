/** examples/curl, with the machine's own curl. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { RunningLooker } from "../../../local/looker/server.ts";
import { callerOf, leaksIn, openFirstLock, type Stand, startStand, startsWithinMs } from "../stand.ts";
import { commandsOf, environmentOf, recipe, start } from "./recipe.ts";

let stand: Stand;
let looker: RunningLooker;

beforeAll(async () => {
  stand = await startStand();
  looker = stand.broker.looker as RunningLooker;
}, startsWithinMs);
afterAll(() => stand?.stop());
afterEach(() => looker.control.resetLedger());

/** Every command line of curl, as `ps` would show it, is written to `argv` before the real one runs. */
function run(principal: string, ...args: string[]) {
  const curl = execFileSync("sh", ["-c", "command -v curl"], { encoding: "utf8" }).trim();
  const argv = join(stand.workDir, "argv");
  const script = `#!/bin/sh\nprintf '%s\\n' "$*" >>'${argv}'\nexec '${curl}' "$@"\n`;
  const env = environmentOf(stand, principal);
  const path = `${commandsOf(stand, { curl: { script } })}:${env.PATH}`;
  const { ended } = start(recipe("curl/looker.sh"), args, { env: { ...env, PATH: path } });
  return { ended, commandLines: () => readFileSync(argv, "utf8") };
}

test("gets a token, asks Looker with it, and ends it; no key or token stands on a command line", async () => {
  // Seen on its way: the token is nowhere else to be read.
  const seen = new Set(stand.secrets);
  const token = callerOf(stand, "report-service").token("sales");
  seen.add((await token).json.access_token);
  looker.control.resetLedger();

  const { ended, commandLines } = run("report-service", "sales", "/api/4.0/user");
  const { exitCode, out, err } = await ended;
  expect([exitCode, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({ display_name: expect.any(String) });
  expect(looker.ledger().map(({ event }) => event)).toEqual(["api", "logout"]);
  expect(looker.control.liveTokens()).toEqual([]);

  expect(commandLines().trim().split("\n")).toHaveLength(3);
  expect(leaksIn(commandLines(), seen)).toBe(0);
});

test("tells what the broker refuses, and asks Looker nothing", async () => {
  openFirstLock(stand.broker, callerOf(stand, "report-service").principal);
  const { exitCode, out, err } = await run("report-service", "finance", "/api/4.0/user").ended;
  expect([exitCode, out, err]).toEqual([1, "", expect.stringContaining('"code":"not_allowed"')]);
  expect(looker.ledger()).toEqual([]);
});
