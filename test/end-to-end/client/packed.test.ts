/** What services get: the package as npm packs it, in projects of their own, against the broker on this machine. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNode20 } from "../../../client/test/node-20.ts";
import { callerOf, type Stand, startStand, startsWithinMs } from "../../support/broker-stand.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const tool = (name: string) => join(root, "node_modules/.bin", name);
const looker = ["@looker/sdk", "@looker/sdk-node", "@looker/sdk-rtl"];

let folder: string;
let tarball: string;
let stand: Stand;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "looker-token-client-")));
  const packed = execFileSync(
    "npm",
    ["pack", "--workspace=client", "--json", `--pack-destination=${folder}`],
    {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      shell: process.platform === "win32",
    },
  );
  // What the build prints may stand before it.
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
  tarball = join(folder, filename);
  stand = await startStand();
}, startsWithinMs * 2);
afterAll(async () => {
  await stand?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** An empty project with the package, what it depends on, and `others`; nothing else can be imported there. */
function project(
  name: string,
  manifest: object,
  files: Record<string, string>,
  others: string[] = looker,
): string {
  const home = join(folder, name);
  const installed = join(home, "node_modules/@looker-token-broker/client");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  for (const each of [...Object.keys(dependencies), ...others]) {
    const link = join(home, "node_modules", each);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", each), link, "junction");
  }
  writeFileSync(join(home, "package.json"), JSON.stringify({ name, private: true, ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text);
  return home;
}

/** As report-service, by the environment alone. The broker is in this process, which therefore must not stand still. */
function runs(home: string, file: string, node = process.execPath) {
  const { accessKeyId, secretAccessKey, sessionToken } = callerOf(stand, "report-service").principal;
  const env = {
    PATH: process.env.PATH,
    LOOKER_BROKER_ENDPOINT: stand.broker.endpoint,
    AWS_REGION: stand.broker.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  return new Promise((resolve) => {
    execFile(node, [file], { cwd: home, env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ status: error ? error.code : 0, stdout, stderr }),
    );
  });
}

/** Nothing but what the script prints: neither the client nor Looker's SDK writes lines of its own. */
const well = { status: 0, stdout: "report-service as Looker user: revoked 1\n", stderr: "" };

const service = `
  const client = new TokenBrokerClient({ scope: "sales" });
  const session = lookerSession(client);
  const sdk = LookerNodeSDK.init40(session.settings, session.transport, session);
  const me = await sdk.ok(sdk.me());
  const { arn } = await client.whoAmI();
  const { revoked } = await client.logout();
  console.log(arn.split("/")[1] + " as " + (me.id ? "Looker user" : "nobody") + ": revoked " + revoked);
`;
const imports = `
  import { LookerNodeSDK } from "@looker/sdk-node";
  import { TokenBrokerClient } from "@looker-token-broker/client";
  import { lookerSession } from "@looker-token-broker/client/looker-sdk";
`;
const requires = `
  const { LookerNodeSDK } = require("@looker/sdk-node");
  const { TokenBrokerClient } = require("@looker-token-broker/client");
  const { lookerSession } = require("@looker-token-broker/client/looker-sdk");
`;

const nodes: [string, string][] = [["this Node", process.execPath]];
const node20 = findNode20();
if (node20) nodes.push(["Node 20", node20]);

describe.each(nodes)("on %s the package works", (name, node) => {
  it("in ECMAScript modules", async () => {
    const home = project(`${name} esm`, { type: "module" }, { "main.js": imports + service });
    expect(await runs(home, "main.js", node)).toEqual(well);
  });

  it("in CommonJS", async () => {
    const main = `${requires}(async () => {${service}})();`;
    expect(await runs(project(`${name} cjs`, {}, { "main.js": main }), "main.js", node)).toEqual(well);
  });

  it("in both at once: the session of one knows the refusals of the other's client", async () => {
    const main = `
      import { createRequire } from "node:module";
      import { LookerNodeSDK } from "@looker/sdk-node";
      import { TokenBrokerError } from "@looker-token-broker/client";
      import { lookerSession } from "@looker-token-broker/client/looker-sdk";
      const { TokenBrokerClient } = createRequire(import.meta.url)("@looker-token-broker/client");
      const session = lookerSession(new TokenBrokerClient({ scope: "no-such-scope" }));
      const sdk = LookerNodeSDK.init40(session.settings, session.transport, session);
      const error = await sdk.me().catch((error) => error);
      console.log(error instanceof TokenBrokerError, error.code);
    `;
    const home = project(`${name} both`, { type: "module" }, { "main.js": main });
    expect(await runs(home, "main.js", node)).toEqual({
      status: 0,
      stdout: "true access_denied\n",
      stderr: "",
    });
  });

  it("without Looker's SDK", async () => {
    const main = `
      import { TokenBrokerClient } from "@looker-token-broker/client";
      const client = new TokenBrokerClient({ scope: "sales" });
      const response = await client.withToken((token) =>
        fetch(token.baseUrl + "/api/4.0/user", { headers: { authorization: "Bearer " + token.accessToken } }));
      console.log(response.status);
      await client.logout();
    `;
    const home = project(`${name} bare`, { type: "module" }, { "main.js": main }, []);
    expect(await runs(home, "main.js", node)).toEqual({ status: 0, stdout: "200\n", stderr: "" });
  });
});

describe("the package in TypeScript", () => {
  const types = ["@types/node", "undici-types"];
  /** Of its own: not only that it compiles, but that a mistake does not. */
  const typed = `${imports}
    import type { LookerToken, TokenBrokerError, TokenSource } from "@looker-token-broker/client";
    export const source: TokenSource = new TokenBrokerClient({ scope: "sales", credentials: undefined });
    export const patient = lookerSession(source, { timeout: undefined });
    export const life = (token: LookerToken): Date => token.expiresAt;
    export const isFrozen = (error: TokenBrokerError): boolean => error.code === "scope_frozen";
    // @ts-expect-error There is no such code.
    export const isOdd = (error: TokenBrokerError): boolean => error.code === "no_such_code";
    ${service}`;
  const compile = (home: string, options: string[]) =>
    spawnSync(
      process.execPath,
      [
        realpathSync(tool("tsc")),
        "--strict",
        "--exactOptionalPropertyTypes",
        "--target",
        "es2022",
        "--types",
        "node",
        "--skipLibCheck",
        ...options,
        "main.ts",
      ],
      { cwd: home, encoding: "utf8" },
    );

  it("with moduleResolution node16 compiles and runs", async () => {
    const home = project("node16", { type: "module" }, { "main.ts": typed }, [...looker, ...types]);
    expect(compile(home, ["--module", "node16", "--moduleResolution", "node16"]).stdout).toBe("");
    expect(await runs(home, "main.js")).toEqual(well);
  });

  it("with moduleResolution bundler compiles, and runs when bundled", async () => {
    const home = project("bundler", {}, { "main.ts": typed }, [...looker, ...types]);
    const options = ["--module", "esnext", "--moduleResolution", "bundler", "--noEmit"];
    expect(compile(home, options).stdout).toBe("");
    await build({
      absWorkingDir: home,
      entryPoints: ["main.ts"],
      outfile: join(home, "bundled/index.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
      logLevel: "silent",
    });
    rmSync(join(home, "node_modules"), { recursive: true });
    expect(await runs(home, "bundled/index.mjs")).toEqual(well);
  });
});

describe("the tarball", () => {
  it("holds what is built, and nothing of the sources and tests", () => {
    const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).split("\n").filter(Boolean);
    const odd = files.filter(
      (file) =>
        !/^package\/(dist\/(esm|cjs)\/.*\.(js|d\.ts)|dist\/cjs\/package\.json|package\.json|(README|CLI)\.md|LICENSE)$/.test(
          file,
        ),
    );
    expect(odd).toEqual([]);
    expect(files).toContain("package/README.md");
    expect(files).toContain("package/dist/esm/cli/main.js");
    // Nobody can import them: a command has no types.
    expect(files.filter((file) => /\/cli\/.*\.d\.ts$/.test(file))).toEqual([]);
  });

  it.each([
    ["publint", ["--strict"]],
    ["attw", ["--profile", "strict"]],
  ])("pleases %s", (name, options) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [realpathSync(tool(name)), tarball, ...options],
      { encoding: "utf8" },
    );
    expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  });
});
