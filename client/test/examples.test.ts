/** The `@example` of each export, run as a service would: against a broker, by the environment alone. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { tokenReply } from "../../test/support/broker-replies.ts";
import { FakeServer } from "../../test/support/fake-server.ts";
import * as broker from "../src/broker.ts";
import * as index from "../src/index.ts";
import * as lookerSdk from "../src/looker-sdk.ts";

const sources = fileURLToPath(new URL("../src", import.meta.url));
/** Below the packages that the examples import. */
const folder = fileURLToPath(new URL("../../node_modules/.cache/looker-token-examples", import.meta.url));

const sourceFiles = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

const examples = sourceFiles.flatMap((file) =>
  [...readFileSync(join(sources, file), "utf8").matchAll(/\* @example\n \* ```ts\n(.*?) \* ```/gs)].map(
    ([, block = ""]) => ({ file, code: block.replace(/^ \* ?/gm, "") }),
  ),
);

let server: FakeServer;
let before: NodeJS.ProcessEnv;
beforeEach(async () => {
  before = { ...process.env };
  server = await FakeServer.start(({ path }) => {
    if (path.endsWith("/token")) return tokenReply("lease-1", 900, server.url);
    if (path.startsWith("/v1/scopes")) return { status: 200, body: permissions };
    return { status: 200, body: { id: "7" } };
  });
  delete process.env.AWS_PROFILE;
  Object.assign(process.env, {
    LOOKER_BROKER_ENDPOINT: `${server.url}/v1`,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "s",
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const permissions = {
  caller: { arn: "arn:aws:iam::111122223333:role/reports", account: "111122223333", unique_id: "AROA2" },
  scopes: [{ scope: "sales", base_url: "https://example.com", lease_seconds: 900, may: ["token"] }],
};

it("the examples have no errors of types", () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [index, { code }] of examples.entries()) writeFileSync(join(folder, `${index}.ts`), code);
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const config = {
    extends: join(root, "tsconfig.json"),
    include: ["*.ts"],
    compilerOptions: { types: ["node"] },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
  expect([stdout, status]).toEqual(["", 0]);
});

it.each(examples)("the example in $file runs: $code", async ({ code }) => {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${examples.findIndex((each) => each.code === code)}.mjs`);
  await build({
    stdin: { contents: code, loader: "ts", resolveDir: sources },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    alias: {
      "@looker-token-broker/client": join(sources, "index.ts"),
      "@looker-token-broker/client/broker": join(sources, "broker.ts"),
      "@looker-token-broker/client/looker-sdk": join(sources, "looker-sdk.ts"),
    },
    external: ["@aws-sdk/*", "@smithy/*", "@looker/*"],
    logLevel: "silent",
  });
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import(pathToFileURL(outfile).href);
  if (code.includes("console.log")) expect(log).toHaveBeenCalledOnce();
  else expect(code).toMatch(/console\.error/);
});

it.each([index, broker, lookerSdk].flatMap((entry) => Object.keys(entry)).map((name) => [name]))(
  "there is an example with %s",
  (name) => {
    expect(examples.some(({ code }) => new RegExp(`import \\{[^}]*\\b${name}\\b`).test(code))).toBe(true);
  },
);
