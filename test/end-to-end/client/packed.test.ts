/** What services get: the library as npm packs it, in projects of their own, against the broker on this machine. */
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";
import { describe, expect, it } from "vitest";
import { dependenciesOf, unpackedBytes } from "../../../bench/installed.ts";
import { filesIn, nodes, onPackedStage, tool, verdictOf } from "../../support/packed.ts";

const looker = ["@looker/sdk", "@looker/sdk-node", "@looker/sdk-rtl"];

const stage = onPackedStage();

/** A project with the library and nothing of the command. */
const service = (name: string, manifest: object, files: Record<string, string>, others: string[] = looker) =>
  stage.project({ name, manifest, files, packages: ["client"], others });

const ran = (home: string, file: string, node?: string) => stage.runs(home, [file], node);

/** Nothing but what the script prints: neither the client nor Looker's SDK writes lines of its own. */
const well = { status: 0, stdout: "report-service as Looker user: revoked 1\n", stderr: "" };

const script = `
  const client = new TokenBrokerClient({ scope: "sales" });
  const session = lookerSession(client);
  const sdk = LookerNodeSDK.init40(session.settings, session.transport, session);
  const me = await sdk.ok(sdk.me());
  const { arn } = (await client.permissions()).caller;
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

describe.each(nodes)("on %s the package works", (name, node) => {
  it("in ECMAScript modules", async () => {
    const home = service(`${name} esm`, { type: "module" }, { "main.js": imports + script });
    expect(await ran(home, "main.js", node)).toEqual(well);
  });

  it("in CommonJS", async () => {
    const main = `${requires}(async () => {${script}})();`;
    expect(await ran(service(`${name} cjs`, {}, { "main.js": main }), "main.js", node)).toEqual(well);
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
    const home = service(`${name} both`, { type: "module" }, { "main.js": main });
    expect(await ran(home, "main.js", node)).toEqual({
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
    const home = service(`${name} bare`, { type: "module" }, { "main.js": main }, []);
    expect(await ran(home, "main.js", node)).toEqual({ status: 0, stdout: "200\n", stderr: "" });
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
    // @ts-expect-error There is no such option.
    export const misspelt = () => new TokenBrokerClient({ scop: "sales" });
    // @ts-expect-error Nor this one, which is for the library's own tests.
    export const timed = () => new TokenBrokerClient({ scope: "sales", clock: Date });
    // @ts-expect-error There is no such code.
    export const isOdd = (error: TokenBrokerError): boolean => error.code === "no_such_code";
    ${script}`;
  const compile = (home: string, options: string[]) =>
    spawnSync(
      process.execPath,
      [
        tool("tsc"),
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
    const home = service("node16", { type: "module" }, { "main.ts": typed }, [...looker, ...types]);
    expect(compile(home, ["--module", "node16", "--moduleResolution", "node16"]).stdout).toBe("");
    expect(await ran(home, "main.js")).toEqual(well);
  });

  it("with moduleResolution bundler compiles, and runs when bundled", async () => {
    const home = service("bundler", {}, { "main.ts": typed }, [...looker, ...types]);
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
    expect(await ran(home, "bundled/index.mjs")).toEqual(well);
  });
});

describe("a proxy of HTTPS_PROXY, with NODE_USE_ENV_PROXY=1", () => {
  it.each([
    ["the broker", { AWS_ACCESS_KEY_ID: "AKIDX", AWS_SECRET_ACCESS_KEY: "s" }, "a1.execute-api.eu-west-1"],
    [
      "STS",
      { AWS_WEB_IDENTITY_TOKEN_FILE: "main.js", AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/r" },
      "sts.eu-west-1",
    ],
  ])("is asked for %s, and named when it refuses", async (name, credentials, host) => {
    const connected: string[] = [];
    const proxy = createServer().listen(0, "127.0.0.1");
    proxy.on("connect", ({ url = "" }, socket) => {
      connected.push(url);
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    });
    await once(proxy, "listening");
    const main = `
      import { TokenBrokerClient } from "@looker-token-broker/client";
      const endpoint = "https://a1.execute-api.eu-west-1.amazonaws.com/v1";
      console.log(await new TokenBrokerClient({ scope: "sales", endpoint }).token().catch((error) => error.hint));
    `;
    const home = service(`proxy ${name}`, { type: "module" }, { "main.js": main }, []);
    const { port } = proxy.address() as AddressInfo;
    const env = {
      ...{ PATH: process.env.PATH, AWS_REGION: "eu-west-1", AWS_EC2_METADATA_DISABLED: "true" },
      ...{ NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: `http://127.0.0.1:${port}`, ...credentials },
    };
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ["main.js"], { cwd: home, env });
      expect(stdout).toMatch(/^Check HTTPS_PROXY with its user and password/);
      expect(connected).toEqual([`${host}.amazonaws.com:443`]);
    } finally {
      proxy.close();
    }
  });
});

describe("a bundle of ECMAScript modules by esbuild", () => {
  /** The chain of credentials reaches the parts of AWS's SDK with `require`. */
  const main = `
    import { TokenBrokerClient } from "@looker-token-broker/client";
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) delete process.env[name];
    Object.assign(process.env, { AWS_CONFIG_FILE: "none", AWS_SHARED_CREDENTIALS_FILE: "none", AWS_EC2_METADATA_DISABLED: "true" });
    const client = new TokenBrokerClient({ scope: "sales" });
    console.log(await client.token().catch((error) => error.message));
  `;
  const bundled = async (name: string, options: BuildOptions) => {
    const home = service(name, { type: "module" }, { "main.js": main }, []);
    await build({
      ...{ absWorkingDir: home, entryPoints: ["main.js"], outfile: join(home, "bundled/index.mjs") },
      ...{ bundle: true, platform: "node", format: "esm", logLevel: "silent", ...options },
    });
    rmSync(join(home, "node_modules"), { recursive: true });
    return ran(home, "bundled/index.mjs");
  };

  const banner = {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  };
  it.each<[string, BuildOptions]>([
    ["banner", { banner }],
    ["main fields", { mainFields: ["module", "main"] }],
  ])("has the whole chain with the %s of the README", async (name, options) => {
    expect(await bundled(`esbuild ${name}`, options)).toMatchObject({
      stdout: expect.stringContaining("No AWS credentials were found (CredentialsProviderError)."),
    });
  });

  it("says without them how to bundle", async () => {
    expect(await bundled("esbuild main", {})).toMatchObject({
      stdout: expect.stringMatching(
        /This bundle .* cannot load AWS's chain .* banner: `import \{ createRequire \}/,
      ),
    });
  });
});

/** Of November 2026. More needs a reason in docs/reference/performance.md. */
describe("the library's cost", () => {
  const bytesIn = (folder: string): number =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((path) => statSync(join(folder, path)))
      .reduce((bytes, entry) => bytes + (entry.isFile() ? entry.size : 0), 0);

  it("is 23 packages and 5.3 MB to install", () => {
    const packages = dependenciesOf("client");
    const home = service("installed", {}, {}, []);
    expect(packages.size).toBeLessThanOrEqual(23);
    expect(
      unpackedBytes(packages) + bytesIn(join(home, "node_modules/@looker-token-broker")),
    ).toBeLessThanOrEqual(5_300_000);
  });

  it("is 34 kB of a bundle with an AWS client", async () => {
    const aws = `
      import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
      export const dynamodb = new DynamoDBClient();`;
    const client = `
      import { TokenBrokerClient } from "@looker-token-broker/client";
      export const client = new TokenBrokerClient({ scope: "sales" });`;
    const home = service("cost", { type: "module" }, {}, ["@aws-sdk/client-dynamodb"]);
    const bytesOf = async (contents: string) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: home },
        ...{ bundle: true, minify: true, write: false, platform: "node", format: "esm", logLevel: "silent" },
      });
      return outputFiles[0]?.contents.length ?? 0;
    };
    expect((await bytesOf(aws + client)) - (await bytesOf(aws))).toBeLessThanOrEqual(34_700);
  });
});

describe("the tarball", () => {
  it("holds what is built, and nothing of the sources and tests", () => {
    const files = filesIn(stage.tarballs.client);
    const odd = files.filter(
      (file) =>
        !/^package\/(dist\/(esm|cjs)\/.*\.(js|d\.ts)|dist\/cjs\/package\.json|package\.json|README\.md|LICENSE)$/.test(
          file,
        ),
    );
    expect(odd).toEqual([]);
    expect(files).toContain("package/README.md");
    expect(files).toContain("package/dist/esm/broker.js");
  });

  it.each([
    ["publint", ["--strict"]],
    ["attw", ["--profile", "strict"]],
  ])("pleases %s", (name, options) => {
    expect(verdictOf(name, stage.tarballs.client, options)).toEqual([0, ""]);
  });
});
