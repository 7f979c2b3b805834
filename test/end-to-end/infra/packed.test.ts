/** The construct as npm packs it, in CDK apps without anything else of this repository. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionNames } from "../../../infra/function-names.ts";
import { filesIn, link, nodes, pack, tool, unpack, verdictOf } from "../../support/packed.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const packageName = "@looker-token-broker/construct";

let folder: string;
let tarball: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "construct-packed-")));
  tarball = pack(join(root, "infra"), folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An app with the package and its two peers. Neither esbuild nor anything else can be imported there. */
function app(name: string, files: Readonly<Record<string, string>>, manifest: object = {}): string {
  const home = join(folder, name);
  const installed = join(home, "node_modules", packageName);
  unpack(tarball, installed);
  for (const peer of ["aws-cdk-lib", "constructs", "@types/node"])
    link(join(root, "node_modules", peer), join(home, "node_modules", peer));
  writeFileSync(join(home, "package.json"), JSON.stringify({ name, private: true, ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text);
  return home;
}

function run(home: string, args: readonly string[], node = process.execPath) {
  const { status, stdout, stderr } = spawnSync(node, args, {
    cwd: home,
    encoding: "utf8",
    env: { PATH: process.env.PATH, CDK_OUTDIR: join(home, "cdk.out"), CDK_DEFAULT_ACCOUNT: "111122223333" },
  });
  // CDK's own note for each asset that is not a plain copy.
  return { status, stdout, stderr: stderr.replace(/^Bundling asset .*\n/gm, "") };
}

const templateIn = (home: string) =>
  JSON.parse(readFileSync(join(home, "cdk.out/looker-token-broker.template.json"), "utf8"));

const scopes = `{
  sales: {
    lookerUrl: "https://example.cloud.looker.com",
    secret: { secretName: "looker/sales" },
    callers: ["arn:aws:iam::111122223333:role/report-service"],
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
  },
}`;

const ran = { status: 0, stdout: "", stderr: "" };

it("this repository's own app gives the same template with the package as with its sources", () => {
  const own = (file: string) =>
    readFileSync(join(root, "infra", file), "utf8").replaceAll('"./index.ts"', JSON.stringify(packageName));
  const files = Object.fromEntries(
    ["app.ts", "import-deployment.ts", "nearest-name.ts", "stack.ts", "scopes.ts"].map((file) => [
      file,
      own(file),
    ]),
  );
  const home = app("own", files, { type: "module" });
  mkdirSync(join(home, "infra"));
  writeFileSync(join(home, "infra/scopes.ts"), files["scopes.ts"] ?? "");
  expect(run(home, ["app.ts"])).toEqual(ran);

  const here = join(folder, "here");
  mkdirSync(here);
  const env = {
    PATH: process.env.PATH,
    CDK_OUTDIR: join(here, "cdk.out"),
    CDK_DEFAULT_ACCOUNT: "111122223333",
  };
  execFileSync(process.execPath, ["infra/app.ts"], { cwd: root, env });
  expect(templateIn(home)).toEqual(templateIn(here));
});

describe.each(nodes)("on %s an app of one's own is synthesized", (name, node) => {
  const body = `
    const app = new App();
    const stack = new Stack(app, "looker-token-broker", { env: { account: "111122223333", region: "eu-west-1" } });
    const broker = new TokenBroker(stack, "Broker", { scopes: ${scopes} });
    broker.grantToken(Role.fromRoleName(stack, "Caller", "report-service"), "sales");
    app.synth();
  `;
  const count = (home: string, type: string) =>
    Object.values<{ Type: string }>(templateIn(home).Resources).filter(({ Type }) => Type === type).length;

  it("in ECMAScript modules", () => {
    const imports = `
      import { TokenBroker } from "${packageName}";
      import { App, Stack } from "aws-cdk-lib";
      import { Role } from "aws-cdk-lib/aws-iam";
    `;
    const home = app(`${name} esm`, { "app.js": imports + body }, { type: "module" });
    expect(run(home, ["app.js"], node)).toEqual(ran);
    expect(count(home, "AWS::Lambda::Function")).toBe(5);
  });

  it("in CommonJS", () => {
    const requires = `
      const { TokenBroker } = require("${packageName}");
      const { App, Stack } = require("aws-cdk-lib");
      const { Role } = require("aws-cdk-lib/aws-iam");
    `;
    const home = app(`${name} cjs`, { "app.js": requires + body });
    expect(run(home, ["app.js"], node)).toEqual(ran);
    expect(count(home, "AWS::Lambda::Function")).toBe(5);
  });
});

describe("the apps of its README", () => {
  const readme = readFileSync(join(root, "infra/README.md"), "utf8");
  /** The code below each heading. */
  const examples = new Map(
    readme.split(/^##? /m).flatMap((section) => {
      const [, text] = /^```ts\n([\s\S]*?)^```$/m.exec(section) ?? [];
      return text === undefined ? [] : [[section.split("\n", 1)[0] ?? "", text] as const];
    }),
  );
  const templates = { [packageName]: ["looker-token-broker"], "Two environments": ["Staging", "Production"] };

  it("are these", () => {
    expect([...examples.keys()]).toEqual(Object.keys(templates));
  });

  it.each(Object.entries(templates))("%s: compiles, and is synthesized", (name, expected) => {
    const example = examples.get(name) ?? "";
    const options = { module: "nodenext", strict: true, noEmit: true, skipLibCheck: true, types: ["node"] };
    const tsconfig = JSON.stringify({ compilerOptions: options, files: ["app.ts"] });
    const home = app(`readme ${name}`, { "app.ts": example, "tsconfig.json": tsconfig }, { type: "module" });
    expect(run(home, [tool("tsc"), "--pretty", "false"])).toEqual(ran);
    expect(run(home, ["app.ts"])).toEqual(ran);
    const files = readdirSync(join(home, "cdk.out"), { recursive: true, encoding: "utf8" });
    const made = files.filter((file) => file.endsWith(".template.json"));
    for (const each of expected) expect(made.filter((file) => file.includes(each))).toHaveLength(1);
    expect(made).toHaveLength(expected.length);
  });
});

describe.each([
  ["ECMAScript modules", "module"],
  ["CommonJS", "commonjs"],
])("the types, in %s", (_, type) => {
  const compile = (name: string, text: string) => {
    const tsconfig = {
      compilerOptions: {
        module: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ["node"],
      },
      files: ["app.ts"],
    };
    const files = { "app.ts": text, "tsconfig.json": JSON.stringify(tsconfig) };
    const home = app(`types ${type} ${name}`, files, { type });
    return run(home, [tool("tsc"), "--pretty", "false"]);
  };
  const withGrant = (scope: string) => `
    import { type ScopeDefinitions, TokenBroker } from "${packageName}";
    import { App, Stack } from "aws-cdk-lib";
    import { AccountRootPrincipal } from "aws-cdk-lib/aws-iam";
    const stack = new Stack(new App(), "S");
    const callers: readonly string[] = ["arn:aws:iam::111122223333:role/report-service"];
    const broker = new TokenBroker(stack, "Broker", { scopes: ${scopes} });
    broker.grantToken(new AccountRootPrincipal(), "${scope}");
    const general: ScopeDefinitions = { a: { lookerUrl: "", secret: {}, callers, operators: callers } };
    new TokenBroker(stack, "General", { scopes: general }).grantToken(new AccountRootPrincipal(), "anything");
  `;

  it("know the names of the scopes", () => {
    expect(compile("right", withGrant("sales"))).toEqual(ran);
    expect(compile("wrong", withGrant("slaes")).stdout).toMatch(
      /^app\.ts\(\d+,\d+\): error TS2345: Argument of type '"slaes"' is not assignable to parameter of type '"sales"'\.\n$/,
    );
  });
});

describe("the package", () => {
  it("has the files of its README, and none of this repository's own deployment", () => {
    const files = filesIn(tarball).map((file) => file.replace("package/", ""));
    const bundles = functionNames.flatMap((each) => [
      `dist/bundles/${each}/index.mjs`,
      `dist/bundles/${each}/index.mjs.map`,
    ]);
    for (const file of [
      ...bundles,
      "dist/bundles/SHA256SUMS",
      "dist/sbom.cdx.json",
      "dist/esm/index.js",
      "dist/cjs/index.js",
      "dist/cjs/package.json",
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "package.json",
    ])
      expect(files).toContain(file);
    expect(files.filter((file) => /\/(app|stack|scopes)\.(d\.ts|js)$/.test(file))).toEqual([]);
    expect(files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))).toEqual([]);
  });

  it("has bundles with the checksums that it states", () => {
    const bundles = join(app("sums", {}), "node_modules", packageName, "dist/bundles");
    const lines = readFileSync(join(bundles, "SHA256SUMS"), "utf8").trim().split("\n");
    expect(lines).toHaveLength(2 * functionNames.length);
    for (const line of lines) {
      const [sum, file = ""] = line.split("  ");
      expect(
        createHash("sha256")
          .update(readFileSync(join(bundles, file)))
          .digest("hex"),
      ).toBe(sum);
    }
  });

  it("names each package in its bundles, with its version and licence", () => {
    const home = join(app("sbom", {}), "node_modules", packageName);
    const { components } = JSON.parse(readFileSync(join(home, "dist/sbom.cdx.json"), "utf8"));
    const names = components.map(({ name }: { name: string }) => name);
    const inMaps = readdirSync(join(home, "dist/bundles"), { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .flatMap((each) => {
        const map = readFileSync(join(home, "dist/bundles", each.name, "index.mjs.map"), "utf8");
        return JSON.parse(map).sources.map(
          (source: string) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1],
        );
      })
      .filter(Boolean);
    expect(new Set(names)).toEqual(new Set(inMaps));
    for (const { version, licenses } of components)
      expect([/^\d+\.\d+\.\d+/.test(version), licenses[0].license.id.length > 2]).toEqual([true, true]);
  });

  it("says nothing of the machine that built it", () => {
    const home = join(app("paths", {}), "node_modules", packageName);
    for (const file of filesIn(tarball).map((each) => each.replace("package/", ""))) {
      const text = readFileSync(join(home, file), "utf8");
      expect([file, text.includes(root.replace(/\/$/, "")), text.includes(folder)]).toEqual([
        file,
        false,
        false,
      ]);
    }
  });

  it.each([
    ["publint", ["--strict"]],
    ["attw", []],
  ])("is sound, says %s", (name, options) => {
    expect(verdictOf(name, tarball, options)).toEqual([0, ""]);
  });
});
