/** The command installed with the library, as npm packs both, against the broker on this machine. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { callerOf } from "../../support/broker-stand.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { filesIn, nodes, onPackedStage, verdictOf } from "../../support/packed.ts";

const stage = onPackedStage();
afterEach(() => emptyTable(stage.stand.broker));

describe.each(nodes)("on %s the installed command works", (name, node) => {
  let home: string;
  beforeAll(() => {
    home = stage.project({ name, packages: ["client", "cli"] });
  });
  const command = (...args: string[]) => stage.runs(home, ["node_modules/.bin/looker-token", ...args], node);

  it("tells who the caller is", async () => {
    const { principal } = callerOf(stage.stand, "report-service");
    expect(await command("whoami")).toEqual({
      status: 0,
      stdout: expect.stringContaining(`Caller     ${principal.callerArn}\n`),
      stderr: "",
    });
  });

  it("runs a job with a token of its own and ends the token", async () => {
    const job = [
      "const { LOOKERSDK_BASE_URL: url, LOOKER_ACCESS_TOKEN: token } = process.env;",
      'fetch(url + "/api/4.0/user", { headers: { authorization: "Bearer " + token } }).then(({ status }) => console.log(status));',
    ].join("");
    expect(await command("exec", "--scope", "sales", "--session", "--", node, "-e", job)).toEqual({
      status: 0,
      stdout: "200\n",
      stderr: "",
    });
    expect(stage.stand.broker.looker?.control.liveTokens()).toEqual([]);
  });

  it("runs a job with a login, through the proxy", async () => {
    const job = [
      "const { LOOKERSDK_BASE_URL: url, LOOKERSDK_CLIENT_ID, LOOKERSDK_CLIENT_SECRET } = process.env;",
      "const body = new URLSearchParams({ client_id: LOOKERSDK_CLIENT_ID, client_secret: LOOKERSDK_CLIENT_SECRET });",
      'fetch(url + "/api/4.0/login", { method: "POST", body }).then((login) => login.json())',
      '.then(({ access_token }) => fetch(url + "/api/4.0/user", { headers: { authorization: "token " + access_token } }))',
      ".then(({ status }) => console.log(status));",
    ].join("");
    expect(await command("exec", "--scope", "sales", "--proxy", "--", node, "-e", job)).toEqual({
      status: 0,
      stdout: "200\n",
      stderr: "",
    });
    expect(stage.stand.broker.looker?.control.liveTokens()).toEqual([]);
  });

  it("serves the console's page, and ends by Ctrl-C", async () => {
    const job = [
      'const child = require("node:child_process").spawn(process.execPath, ["node_modules/.bin/looker-token", "console", "--json"]);',
      'child.on("exit", (code) => console.log(code));',
      'child.stdout.once("data", async (line) => {',
      "const { url } = JSON.parse(line);",
      'const entered = await fetch(url, { redirect: "manual" });',
      'const headers = { cookie: entered.headers.get("set-cookie").split(";")[0] };',
      'for (const name of ["", "page.css", "page.js"]) {',
      'const answer = await fetch(new URL(name, url.split("?")[0]), { headers });',
      'console.log(answer.status, answer.headers.get("content-type"));',
      "}",
      'child.kill("SIGINT");',
      "});",
    ].join("");
    expect(await stage.runs(home, ["-e", job], node, "platform-engineer")).toEqual({
      status: 0,
      stdout:
        "200 text/html; charset=utf-8\n200 text/css; charset=utf-8\n200 text/javascript; charset=utf-8\n0\n",
      stderr: "",
    });
  });

  it("knows the library's errors: a refusal is one line and exits with 3", async () => {
    expect(await command("get", "--scope", "no-such-scope")).toEqual({
      status: 3,
      stdout: "",
      stderr: expect.stringMatching(/^looker-token: .*execute-api:Invoke.*\n$/),
    });
  });
});

describe("the tarball", () => {
  it("holds the built files, and no sources, tests or loader of sources", () => {
    const files = filesIn(stage.tarballs.cli);
    const odd = files.filter(
      // Nobody can import a command, so it has no types.
      (file) =>
        !/^package\/(dist\/.*\.js|dist\/console\/page\/(index\.html|page\.css|icon\.svg)|package\.json|README\.md|LICENSE)$/.test(
          file,
        ),
    );
    expect(odd).toEqual([]);
    expect(files).toContain("package/README.md");
    expect(files).toContain("package/dist/main.js");
  });

  it("has a command that can be run as it is", () => {
    const listed = execFileSync("tar", ["-tvzf", stage.tarballs.cli, "package/dist/main.js"], {
      encoding: "utf8",
    });
    expect(listed).toMatch(/^-rwxr-xr-x/);
  });

  it("depends on the library of its own version, and on nothing else", () => {
    const manifest = (workspace: string) =>
      JSON.parse(readFileSync(new URL(`../../../${workspace}/package.json`, import.meta.url), "utf8"));
    const { name, version } = manifest("client");
    expect(manifest("cli").dependencies).toEqual({ [name]: version });
    expect(manifest("cli").version).toBe(version);
  });

  it("pleases publint", () => {
    expect(verdictOf("publint", stage.tarballs.cli, ["--strict"])).toEqual([0, ""]);
  });
});
