import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "app-")));
});
afterEach(() => rmSync(directory, { recursive: true }));

function run(context: Record<string, string>, environment: Record<string, string> = {}) {
  const outdir = join(directory, "cdk.out");
  const { status, stderr } = spawnSync(process.execPath, ["infra/app.ts"], {
    encoding: "utf8",
    // No account, no profile, no region: as on a machine that has never seen AWS.
    env: {
      HOME: directory,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      ...environment,
    },
  });
  const files = existsSync(outdir) ? readdirSync(outdir) : [];
  return { status, stderr, templates: files.filter((file) => file.endsWith(".template.json")) };
}

const sales = `export const scopes = { sales: {
  lookerUrl: "https://example.cloud.looker.com", secret: { secretName: "looker/sales" },
  callers: ["arn:aws:iam::111122223333:role/a"], operators: ["arn:aws:iam::111122223333:role/b"] } }`;

function scopesFile(source: string, name = "scopes.mjs"): string {
  const file = join(directory, name);
  writeFileSync(file, source);
  return file;
}

describe("the app", () => {
  it("synthesizes the documented example without an account, as the stack looker-token-broker", () => {
    const { status, stderr, templates } = run({});
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(templates).toEqual(["looker-token-broker.template.json"]);
  }, 30_000);

  it("names scope and field of every mistake, without a stack trace, and writes no stack", () => {
    const file = scopesFile(`export const scopes = { sales: {
      lookerUrl: "http://example.com", secret: { secretName: "a b" }, callers: [], operators: ["*"], leaseSecond: 1 } };`);
    const { status, stderr, templates } = run({ scopes: file });
    expect(status).toBe(1);
    const lines = stderr.trim().split("\n");
    expect(lines[0]).toBe("looker-token-broker/Broker cannot be built:");
    for (const field of ["lookerUrl", "secret.secretName", "callers", "operators[0]", "leaseSecond"])
      expect(lines).toContainEqual(expect.stringContaining(`scope "sales": ${field}: `));
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(templates).toEqual([]);
  }, 30_000);

  it("names a misspelt setting with the one that was meant, and writes no stack", () => {
    const file = scopesFile(`${sales}; export const settings = () => ({ organisationId: "o-a1b2c3d4e5" });`);
    expect(run({ scopes: file })).toEqual({
      status: 1,
      stderr:
        "looker-token-broker/Broker cannot be built:\n  - organisationId: there is no such setting. Did you mean organizationId?\n",
      templates: [],
    });
  }, 30_000);

  it.each<[string, string, string, string]>([
    ["there are none", "scopes.mjs", "export {};", ' exports no "scopes".'],
    [
      "settings are misspelt as a whole",
      "scopes.mjs",
      `${sales}; export const setings = () => ({});`,
      ' exports "setings", which is not read. Did you mean settings?',
    ],
    [
      "settings are no function",
      "scopes.mjs",
      `${sales}; export const settings = {};`,
      ' exports "settings" that are not a function: write (stack) => ({ … }).',
    ],
    [
      "JavaScript does not parse",
      "scopes.mjs",
      "\n\nexport const = 1;",
      " cannot be loaded: FILE:3: Unexpected token '='",
    ],
    [
      "TypeScript does not parse",
      "scopes file.ts",
      "\nexport const scopes = {,};\n",
      " cannot be loaded: FILE:2: Unexpected token `,`. Expected identifier, string literal, numeric literal or [ for the computed key",
    ],
    [
      "it stops with an error",
      "scopes.ts",
      "\n\n\nexport const scopes: object = { sales: { lookerUrl: lookerURL } };",
      " cannot be loaded: FILE:4: lookerURL is not defined",
    ],
    [
      "it imports a file that is not there",
      "scopes.mjs",
      'import "./callers.mjs";',
      " cannot be loaded: Cannot find module 'DIRECTORY/callers.mjs' imported from FILE",
    ],
  ])(
    "says what to mend, with file and line, when %s",
    (_, name, source, message) => {
      const file = scopesFile(source, name);
      const expected = `The scopes file ${file}${message}\n`
        .replace("FILE", file)
        .replace("DIRECTORY", directory);
      const { status, stderr } = run({ scopes: file });
      expect({ status, stderr: stderr.replace(relative(process.cwd(), file), file) }).toEqual({
        status: 1,
        stderr: expected,
      });
    },
    30_000,
  );

  it("names the line of a file that the scopes file imports", () => {
    scopesFile("export const role =;", "roles.mjs");
    const { stderr } = run({
      scopes: scopesFile('import { role } from "./roles.mjs"; export const scopes = {};'),
    });
    expect(stderr).toMatch(/ cannot be loaded: \S+roles\.mjs:1: Unexpected token ';'\n$/);
  }, 30_000);
});
