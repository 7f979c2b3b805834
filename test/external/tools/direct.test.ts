/** Each tool, unchanged, with the stand-in Looker. The proxy in between must not make a difference. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import { pathOf, run } from "./run.ts";
import { tools } from "./tools.ts";

const pair = { clientId: "service-account", clientSecret: "its-secret" };

let looker: RunningLooker;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "looker-tool-"));
  looker = await startLooker({
    accounts: [{ userId: "101", displayName: "Service account", credentials: [pair] }],
  });
});
afterEach(async () => {
  await looker.close();
  rmSync(directory, { recursive: true });
});

function addressOf({ url }: RunningLooker) {
  const { hostname: host, port } = new URL(url);
  return { base: url, host, port, id: pair.clientId, secret: pair.clientSecret };
}

const requests = () => looker.ledger().map(({ method, path }) => `${method} ${path}`);

test.for(tools)("$name logs in and reads", async (tool, { skip }) => {
  const path = pathOf(tool);
  if (path === undefined) return skip(`TOOLS_BIN has no ${tool.command}`);
  const { exitCode, out, err } = await run(tool, path, addressOf(looker), directory);
  expect({ exitCode, said: out + err }).toEqual({ exitCode: 0, said: expect.stringMatching(tool.says) });
  expect(requests()).toEqual([
    tool.login,
    ...tool.calls,
    ...(tool.logout === undefined ? [] : [tool.logout]),
  ]);
  expect(looker.ledger().every(({ status }) => status < 300)).toBe(true);
});
