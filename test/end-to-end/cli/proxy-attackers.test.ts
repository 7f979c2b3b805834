/** A web page and another user of the machine against the port of a real `looker-token proxy`. */
import { spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { callerOf, leaksIn, sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { Command } from "../../support/cli/command.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { sendRaw } from "../../support/raw-request.ts";
import { environmentOf } from "../../support/recipe.ts";

const stand = sharedStand();
afterEach(async () => {
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

/** With the role's shared token, a pair in a file, and one login of a tool behind it. */
async function startProxy() {
  const environment = environmentOf(stand, "report-service");
  const cli = new Command(stand.workDir, environment);
  const running = cli.start("proxy", "--scope", "sales", "--ini", "looker.ini", "--settings", "settings");
  await untilSeen(() => running.err().includes("until it is stopped"), "the proxy", 30_000);
  const { access_token: real } = (await callerOf(stand, "report-service").token("sales")).json;
  return { running, real, port: Number(/:(\d+) until/.exec(running.err())?.[1]), environment };
}

const askedOfLooker = () => stand.looker.ledger().filter(({ event }) => event !== "login");

test.each([
  ["fetch()", { origin: "https://attacker.example", "sec-fetch-site": "cross-site" }],
  ["a form", { origin: "null", "content-type": "application/x-www-form-urlencoded" }],
  ["an image", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ["DNS rebinding", { host: "attacker.example" }],
])("a web page gets nothing by %s", async (_, headers) => {
  const { port, real } = await startProxy();
  const base = { host: `127.0.0.1:${port}`, ...headers };
  const asked = [
    ["POST", "/api/4.0/login", "client_id=guess&client_secret=guess"],
    ["OPTIONS", "/api/4.0/login", undefined],
    ["GET", "/api/4.0/user", undefined],
    ["GET", "/versions", undefined],
  ] as const;
  for (const [method, path, body] of asked) {
    const answer = await sendRaw(port, path, { method, headers: base, ...(body ? { body } : {}) });
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(leaksIn(JSON.stringify(answer), [real])).toBe(0);
  }
  expect(askedOfLooker()).toEqual([]);
});

/** `$1`: the proxy's port, `$2`: its process, `$3`: the folder with its files. */
const neighbour = `
  id -u
  cat "$3/looker.ini" "$3/settings" "/proc/$2/environ" && echo "read a file"
  base="http://127.0.0.1:$1"
  for path in / /versions /alive /api/4.0/user /api/4.0/session; do
    curl -s -w '\\n%{http_code}\\n' "$base$path" -H 'Authorization: Bearer guess'
  done
  for pair in '' 'client_id=&client_secret=' 'client_id=a&client_secret=b'; do
    curl -s -w '\\n%{http_code}\\n' "$base/api/4.0/login" -d "$pair"
  done
`;

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  "another local user reads none of the proxy's files, and gets nothing of its port",
  async () => {
    const { running, port, real, environment } = await startProxy();
    // The files' own modes protect them, and not the folder's.
    chmodSync(stand.workDir, 0o755);
    const nobody = 65_534;
    const child = spawn(
      "sh",
      ["-c", neighbour, "sh", String(port), String(running.child.pid), stand.workDir],
      {
        uid: nobody,
        gid: nobody,
        cwd: "/",
        env: { PATH: environment.PATH },
      },
    );
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += chunk;
      });
    await new Promise((resolve) => child.once("close", resolve));
    expect(said).toMatch(/^65534$/m);
    expect(said.match(/Permission denied/g)).toHaveLength(3);
    expect(said.match(/^\d{3}$/gm)).toEqual([...Array(5).fill("401"), ...Array(3).fill("404")]);
    expect(leaksIn(said, [real])).toBe(0);
    expect(askedOfLooker()).toEqual([]);
  },
);
