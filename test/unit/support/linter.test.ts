/** Breaks each rule of biome.json for a folder, to see the rule work. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const rules = ["plugin", "noRestrictedGlobals", "noRestrictedImports", "noImportCycles"] as const;

/** Snippets by their rule. */
type Snippets = Readonly<Partial<Record<(typeof rules)[number] | "nothing", readonly string[]>>>;

const imports = (...paths: string[]) => paths.map((path) => `import "${path}";`);

/** The caller and the ports bring time, ids and settings. */
const impure: Snippets = {
  plugin: ["Math.random();"],
  noRestrictedGlobals: [
    "new Date();",
    "Date.now();",
    "performance.now();",
    "process.env.X;",
    "console.log(1);",
    'fetch("x");',
    "setTimeout(() => {}, 1);",
    "setInterval(() => {}, 1);",
    "setImmediate(() => {});",
    "crypto.randomUUID();",
    "globalThis.Date.now();",
  ],
  noRestrictedImports: [
    'import { randomUUID } from "node:crypto";',
    'import { randomBytes } from "node:crypto";',
    'import * as everything from "node:crypto";',
    ...imports("node:fs/promises", "node:timers", "@aws-sdk/client-kms", "@middy/core", "aws-cdk-lib"),
    ...imports("../http/answer.ts", "../adapters/rows.ts", "../contract.ts", "../../infra/routes.ts"),
  ],
};

const waits = [
  "await 1;",
  "for await (const each of []) each();",
  "async function f() {}",
  "export const f = async function () {};",
  "export const f = async () => 1;",
  "export const f = async (x: number) => x;",
  "export const f = async <T>(x: T) => x;",
  "export const f = async x => x;",
  "export class C { async f() {} }",
  "export class C { private static async *f() {} }",
  "export const o = { async f() {} };",
  "export const o = { async *[1]() {} };",
  'export const m = import("./lease.ts");',
];

const domain: Snippets = {
  plugin: [...(impure.plugin ?? []), ...waits],
  noRestrictedGlobals: [
    ...(impure.noRestrictedGlobals ?? []),
    "new Promise(() => {});",
    "Promise.resolve();",
    "export type T = Promise<void>;",
  ],
  noRestrictedImports: [
    ...(impure.noRestrictedImports ?? []),
    'import type { Clock } from "../use-cases/ports.ts";',
  ],
  nothing: [
    ...imports("./lease.ts"),
    'import { createHash } from "node:crypto";',
    "Math.max(1, 2);",
    "for (const each of []) each();",
    "export const f = async => async;",
    "export class C { async() {} }",
    'export const o = { async() {}, text: "async function" };',
  ],
};

const layers: Readonly<Record<string, Snippets>> = {
  "functions/domain": domain,
  "functions/use-cases": {
    ...impure,
    nothing: [
      ...imports("./ports.ts", "../domain/lease.ts"),
      "export const f = async () => Promise.all([]);",
    ],
  },
  "functions/adapters": {
    noRestrictedImports: imports("../http/answer.ts", "@middy/core", "aws-cdk-lib"),
    nothing: imports("../domain/lease.ts", "../use-cases/ports.ts", "../contract.ts", "@aws-sdk/client-kms"),
  },
  "functions/http": {
    noRestrictedImports: imports("../adapters/rows.ts", "@aws-sdk/client-kms", "constructs"),
    nothing: imports("../domain/lease.ts", "../use-cases/ports.ts", "../contract.ts", "@middy/core"),
  },
  functions: {
    noRestrictedImports: imports("../infra/routes.ts", "../local/start.ts", "aws-cdk-lib", "constructs"),
    nothing: imports("./http/answer.ts", "./adapters/rows.ts", "./wiring.ts"),
  },
  infra: {
    noRestrictedImports: [
      ...imports("../functions/http/answer.ts", "../functions/wiring.ts", "../functions/domain/slot.ts"),
      ...imports("../local/start.ts", "@aws-sdk/client-kms", "@middy/core"),
    ],
    nothing: imports("../functions/contract.ts", "../functions/domain/scope.ts", "aws-cdk-lib"),
  },
  "client/src": {
    noRestrictedImports: [
      ...imports("../../functions/contract.ts", "../../infra/routes.ts", "../../local/start.ts"),
      ...imports("../../test/support/setup.ts", "../../cli/src/run.ts", "@aws-sdk/client-kms"),
      ...imports("./looker/looker-address.ts", "@looker/sdk-rtl", "@smithy/signature-v4"),
    ],
    nothing: imports("./index.ts", "./token/token-cache.ts"),
  },
  "client/src/looker": {
    noRestrictedImports: imports("../broker/connection.ts", "../looker-sdk.ts", "@smithy/signature-v4"),
    nothing: imports("../token/token-source.ts", "../waiting/deadline.ts", "@looker/sdk-node"),
  },
  "client/src/token": {
    noRestrictedImports: imports("../looker/looker-address.ts", "../index.ts", "@looker/sdk-rtl"),
    nothing: imports("../broker/connection.ts", "../waiting/abort.ts", "../errors/refusals.ts"),
  },
  "client/src/broker": {
    noRestrictedImports: [
      ...imports("../token/token-cache.ts", "../looker/looker-address.ts", "../../../functions/contract.ts"),
      ...imports("@aws-sdk/client-kms", "@looker/sdk-rtl"),
    ],
    nothing: imports("../waiting/abort.ts", "../errors/refusals.ts", "@smithy/signature-v4"),
  },
  "client/src/waiting": {
    noRestrictedImports: imports(
      "../broker/connection.ts",
      "../token/token-cache.ts",
      "@smithy/signature-v4",
    ),
    nothing: imports("../errors/refusals.ts", "./clock.ts", "node:timers/promises"),
  },
  "client/src/errors": {
    noRestrictedImports: imports("../waiting/clock.ts", "../broker/connection.ts", "@smithy/signature-v4"),
    nothing: imports("./refusals.ts"),
  },
  "cli/src": {
    noRestrictedImports: [
      ...imports("../../functions/contract.ts", "../../infra/routes.ts", "../../local/start.ts"),
      ...imports("../../test/support/setup.ts", "@middy/core", "aws-cdk-lib"),
      ...imports("../../client/src/index.ts", "@looker-token-broker/client/looker-sdk"),
    ],
    nothing: imports("./run.ts", "@looker-token-broker/client", "@looker-token-broker/client/broker"),
  },
  "cli/src/deployment": {
    noRestrictedImports: imports("../../../local/start.ts", "@aws-sdk/client-kms", "aws-cdk-lib"),
    nothing: imports("../run.ts", "@looker-token-broker/client/broker", "@aws-sdk/client-cloudwatch-logs"),
  },
  ...Object.fromEntries(
    ["client/test", "cli/test"].map((folder): [string, Snippets] => [
      folder,
      {
        noRestrictedImports: imports("../../test/unit/some/file.ts", "../../test/model/run.ts"),
        nothing: imports("../src/index.ts", "../../test/support/setup.ts"),
      },
    ]),
  ),
  bench: {
    noRestrictedImports: imports("../test/external/some/file.ts", "../test/model/run.ts"),
    nothing: imports("../test/support/setup.ts", "../functions/contract.ts"),
  },
  "test/support": {
    noRestrictedImports: [
      ...imports("../unit/some/file.ts", "../end-to-end/some/file.ts", "../model/run.ts"),
      ...imports("../../client/test/stand.ts", "../../cli/test/lost-answer.test.ts"),
    ],
    nothing: imports("./setup.ts", "../../functions/contract.ts"),
  },
  local: {
    noRestrictedImports: [
      ...imports("../functions/domain/slot.ts", "../functions/wiring.ts", "../test/support/setup.ts"),
      ...imports("../client/src/index.ts", "../cli/src/run.ts", "../probe/probe.ts"),
    ],
    nothing: imports("./aws/call.ts", "../functions/domain/scope.ts", "../functions/contract.ts"),
    // A cycle counts although it is of types only.
    noImportCycles: [
      'import type { One } from "./noImportCycles-1.ts"; export type Other = One;',
      'import type { Other } from "./noImportCycles-0.ts"; export type One = Other;',
    ],
  },
  "local/stack": {
    noRestrictedImports: [
      ...imports("../gateway/routes.ts", "../lambda/pool.ts", "../aws/call.ts", "../looker/server.ts"),
      ...imports("../broker.ts", "../../functions/domain/slot.ts", "../../infra/routes.ts"),
    ],
    nothing: imports("./template.ts", "../../functions/domain/pattern.ts", "../../functions/contract.ts"),
  },
  "local/sigv4": {
    noRestrictedImports: imports("../stack/location.ts", "../loopback.ts"),
    nothing: imports("./verify.ts", "@smithy/signature-v4"),
  },
  "local/insights": {
    noRestrictedImports: imports("../command-line.ts", "../../infra/saved-queries.ts"),
    nothing: imports("./run.ts"),
  },
  "local/lambda": {
    noRestrictedImports: imports("../aws/call.ts", "../gateway/event.ts", "../broker.ts"),
    nothing: imports("./pool.ts", "../stack/functions.ts", "../sigv4/session-credentials.ts"),
  },
  "local/aws": {
    noRestrictedImports: imports("../gateway/event.ts", "../lambda/pool.ts", "../principals.ts"),
    nothing: imports("../stack/keys.ts", "../sigv4/verify.ts", "../loopback.ts", "@aws-sdk/client-kms"),
  },
  "local/gateway": {
    noRestrictedImports: imports("../aws/call.ts", "../lambda/pool.ts", "../../functions/http/answer.ts"),
    nothing: imports("../stack/routes.ts", "../sigv4/verify.ts", "../lambda/invoke-result.ts"),
  },
  "local/looker": {
    noRestrictedImports: imports("../aws/call.ts", "../../functions/adapters/looker-api.ts"),
    nothing: imports("../loopback.ts", "../http-request.ts", "../../functions/domain/scope.ts"),
  },
  "probe/checks": {
    noRestrictedImports: imports("../../local/broker.ts", "../../functions/domain/slot.ts"),
    nothing: imports("../check.ts", "../../local/command-line.ts", "../../functions/domain/scope.ts"),
  },
};

const names = ["unit", "security", "model", "contracts", "end-to-end", "external"];
const tiers = Object.fromEntries(
  names.map((tier): [string, Snippets] => [
    `test/${tier}/some`,
    {
      noRestrictedImports: imports(
        ...names.filter((name) => name !== tier).map((name) => `../../${name}/client/file.ts`),
      ),
      nothing: imports("./file.ts", "../../support/setup.ts", "../../../functions/contract.ts"),
    },
  ]),
);

/** The path names the rule, for the messages of this test. */
const files = Object.entries({ ...layers, ...tiers }).flatMap(([folder, snippets]) =>
  Object.entries(snippets).flatMap(([rule, codes]) =>
    codes.map((code, index) => ({ folder, rule, code, path: `${folder}/${rule}-${index}.ts` })),
  ),
);

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly location: { readonly path: string };
  }[];
}

let sandbox: string;
let report: Report;

/** One run for all files. The project's own configuration applies, because the paths are those of the project. */
beforeAll(async () => {
  sandbox = mkdtempSync(join(tmpdir(), "linter-"));
  for (const path of ["biome.json", "biome", ".gitignore"])
    cpSync(join(root, path), join(sandbox, path), { recursive: true });
  for (const { path, code } of files) {
    mkdirSync(dirname(join(sandbox, path)), { recursive: true });
    writeFileSync(join(sandbox, path), code);
  }
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const lint = promisify(execFile)(
    process.execPath,
    [biome, "lint", "--max-diagnostics=none", "--reporter=json"],
    { cwd: sandbox, maxBuffer: 2 ** 26 },
  );
  // The exit code is 1, because there are findings.
  const { stdout } = await lint.catch((error: { stdout: string }) => error);
  report = JSON.parse(stdout);
});
afterAll(() => rmSync(sandbox, { recursive: true, force: true }));

/** The broken rules of biome.json. Rules of style are left out. */
function refusals(path: string): string {
  const found = report.diagnostics
    .filter(({ location }) => location.path === path)
    .map(({ category }) => category.split("/").at(-1) ?? "")
    .filter((category) => rules.some((rule) => rule === category));
  return [...new Set(found)].join(" and ") || "nothing";
}

it.each([...new Set(files.map(({ folder }) => folder))])(
  "%s: each snippet breaks its rule and no other",
  (folder) => {
    const own = files.filter((file) => file.folder === folder);
    expect(own.map(({ code, path }) => `${refusals(path)}: ${code}`)).toEqual(
      own.map(({ code, rule }) => `${rule}: ${code}`),
    );
  },
);
