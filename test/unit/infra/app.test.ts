import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "app-"));
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

function scopesFile(source: string): string {
  const file = join(directory, "scopes.mjs");
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
    expect(lines[0]).toBe("The scopes cannot be used:");
    for (const field of ["lookerUrl", "secret.secretName", "callers", "operators[0]", "leaseSecond"])
      expect(lines).toContainEqual(expect.stringContaining(`scope "sales": ${field}: `));
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(templates).toEqual([]);
  }, 30_000);

  it.each([
    ["there is none", "export {};", /exports no "scopes"/],
    ["the file does not parse", "export const = 1;", /cannot be loaded: /],
  ])(
    "says so when %s",
    (_, source, message) => {
      const { status, stderr } = run({ scopes: scopesFile(source) });
      expect(status).toBe(1);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
    30_000,
  );
});
