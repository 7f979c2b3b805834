/** No token of Looker's is in anything that a tool behind `looker-token exec --proxy` can read, and none in the proxy's output. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { callerOf, clientSecretOf, sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { findLeaks } from "../../support/canary.ts";
import { Command } from "../../support/cli/command.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { sha256 } from "../../support/held-tokens.ts";
import { events } from "../../support/looker-ledger.ts";
import { environmentOf } from "../../support/recipe.ts";

const stand = sharedStand();
afterEach(async () => {
  rmSync(join(stand.workDir, "go"), { force: true });
  await emptyTable(stand.broker);
});

/** A tool that prints its environment and its ini file, and of each answer the status, the headers and the body. */
const curious = `
  const { LOOKERSDK_BASE_URL: base, LOOKERSDK_CLIENT_ID: id, LOOKERSDK_CLIENT_SECRET: secret } = process.env;
  const { existsSync, readFileSync } = require("node:fs");
  const say = (value) => console.log(JSON.stringify(value));
  let headers = {};
  async function ask(method, path, body) {
    const type = { "content-type": "application/json" };
    const answer = await fetch(base + path, { method, body, redirect: "manual", headers: body ? { ...type, ...headers } : headers });
    const text = await answer.text();
    say([method, path, answer.status, [...answer.headers], text]);
    return text;
  }
  async function logIn() {
    const { access_token } = JSON.parse(await ask("POST", "/api/4.0/login", JSON.stringify({ client_id: id, client_secret: secret })));
    headers = { authorization: "Bearer " + access_token };
  }
  (async () => {
    say([process.env, process.argv, readFileSync("looker.ini", "utf8")]);
    await ask("POST", "/api/4.0/login", JSON.stringify({ client_id: id, client_secret: "wrong" }));
    await ask("GET", "/api/4.0/user");
    await logIn();
    for (const path of ["/api/4.0/user", "/versions", "/api/4.0/no-such-route", "/no-version", "/%zz"]) await ask("GET", path);
    await ask("POST", "/api/4.0/login/42");
    await ask("PATCH", "/api/4.0/session", JSON.stringify({ workspace_id: "dev" }));
    await ask("GET", "/api/4.0/session");
    say("ready");
    while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 50));
    // The stand-in Looker answers these three by a broken connection, a page of a load balancer and a redirect.
    for (const path of ["/api/4.0/user", "/api/4.0/user", "/api/4.0/user"]) await ask("GET", path);
    await ask("DELETE", "/api/4.0/logout");
    await ask("GET", "/api/4.0/user");
  })();
`;

test.each([
  ["in plain words", []],
  ["with --json", ["--json"]],
])("a tool that prints all it can read, and a proxy with failures %s: no token shows", async (_, options) => {
  stand.looker.control.resetLedger();
  writeFileSync(join(stand.workDir, "curious.cjs"), curious);
  const cli = new Command(stand.workDir, environmentOf(stand, "report-service"));
  const running = cli.start(
    ...["exec", "--scope", "sales", "--session", "canary", "--proxy", "--ini", "looker.ini", ...options],
    ...["--env", "ALL={base} {host} {port} {id} {secret}", "--", process.execPath, "curious.cjs"],
  );
  await untilSeen(() => running.out().includes('"ready"'), "the tool's calls", 30_000);
  const files = readdirSync(stand.workDir).filter((name) => name.startsWith("looker.ini"));
  const written = files.map((name) => readFileSync(join(stand.workDir, name), "utf8"));

  // The same caller gets the same leases again, so the real tokens are known here.
  const caller = callerOf(stand, "report-service");
  const real: string[] = [];
  for (const session of ["canary", "canary.dev"])
    real.push((await caller.token("sales", { session })).json.access_token);
  const used = new Set(events(stand, "api").map(({ tokenSha256 }) => tokenSha256));
  expect([...used].sort()).toEqual(expect.arrayContaining(real.map(sha256)));
  expect(events(stand, "login")).toHaveLength(2);

  const { control } = stand.looker;
  control.addFault({ route: "user", kind: "reset", times: 2 });
  control.addFault({ route: "user", kind: "html_502", times: 1 });
  control.addFault({ route: "user", kind: "redirect", location: `${stand.looker.url}/elsewhere`, times: 1 });
  writeFileSync(join(stand.workDir, "go"), "");
  const { exitCode, out, err } = await running.ended;
  control.clearFaults();
  expect(exitCode).toBe(0);
  expect(err).toMatch(/gave no answer/);
  const answers = out.match(/^\["(GET|POST|PATCH|DELETE)".*/gm) ?? [];
  expect(answers.map((line) => JSON.parse(line)[2])).toEqual([
    ...[404, 401, 200, 200, 200, 404, 403, 400, 403, 200, 200],
    ...[502, 502, 307, 204, 401],
  ]);

  const { client_secret } = await clientSecretOf(stand.broker, "looker/sales");
  const secrets: [string, string][] = [
    ["the token of production", real[0] ?? ""],
    ["the token of dev", real[1] ?? ""],
    ["the client secret", client_secret],
  ];
  expect(findLeaks([out, err, ...written].join("\n"), secrets)).toEqual([]);
});
