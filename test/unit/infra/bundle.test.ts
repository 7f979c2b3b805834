import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { environment, scopesFile } from "../../../functions/contract.ts";
import { writeBundle } from "../../../infra/bundle.ts";
import type { FunctionName } from "../../../infra/function-names.ts";
import { scopes } from "../../../infra/scopes.ts";

/** Bytes of index.mjs, about one per cent above what each is. What goes beyond is to be worth its cold start. */
const budgets = {
  "issue-token": 319_000,
  logout: 286_000,
  operate: 298_000,
  sweep: 276_000,
  "check-account": 323_000,
  "rotate-secret": 287_000,
};

describe.each(Object.entries(budgets) as [FunctionName, number][])("the bundle of %s", (name, budget) => {
  const write = () => {
    const to = mkdtempSync(join(tmpdir(), "bundle-"));
    writeBundle(name, to);
    return to;
  };
  let here: string;
  beforeAll(() => {
    here = write();
  });
  afterAll(() => rmSync(here, { recursive: true }));

  it("is the same, byte for byte, wherever it is written", () => {
    const there = write();
    expect(readdirSync(here).sort()).toEqual(["index.mjs", "index.mjs.map"]);
    for (const file of readdirSync(here))
      expect(readFileSync(join(there, file)).equals(readFileSync(join(here, file)))).toBe(true);
    rmSync(there, { recursive: true });
  });

  it("is within its budget, and has a map without sources", () => {
    expect(statSync(join(here, "index.mjs")).size).toBeLessThan(budget);
    const map = JSON.parse(readFileSync(join(here, "index.mjs.map"), "utf8"));
    expect(map).not.toHaveProperty("sourcesContent");
    expect(map.sources).toContain(`../functions/${name}.ts`);
  });

  it("has no package twice", () => {
    const { sources } = JSON.parse(readFileSync(join(here, "index.mjs.map"), "utf8")) as {
      sources: string[];
    };
    expect(copiesOf(sources).filter(([, folders]) => folders.size > 1)).toEqual([]);
    expect(copiesOf(sources).length).toBeGreaterThan(5);
  });

  it("loads where no module lies beside it, and exports a handler", () => {
    if (name !== "sweep") writeFileSync(join(here, scopesFile), JSON.stringify(scopes));
    const url = pathToFileURL(join(here, "index.mjs")).href;
    const code = `console.log(typeof (await import(${JSON.stringify(url)})).handler)`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: here,
      encoding: "utf8",
      env: {
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "ASIAEXAMPLE",
        AWS_SECRET_ACCESS_KEY: "example",
        LAMBDA_TASK_ROOT: here,
        [environment.tableName]: "slots",
        [environment.sealingKeyArn]:
          "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        [environment.brokerName]: "looker-token-broker/Broker",
        [environment.apiId]: "abcdefghij",
        [environment.apiStage]: "v1",
        [environment.accountId]: "111122223333",
      },
    });
    expect({ stdout, stderr }).toEqual({ stdout: "function\n", stderr: "" });
  });
});

/** Each package by its name, with the folders from which its files came. */
function copiesOf(sources: readonly string[]): [string, Set<string>][] {
  const copies = new Map<string, Set<string>>();
  for (const source of sources) {
    const [folder, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source) ?? [];
    if (folder !== undefined && name !== undefined)
      copies.set(name, (copies.get(name) ?? new Set()).add(folder));
  }
  return [...copies];
}
