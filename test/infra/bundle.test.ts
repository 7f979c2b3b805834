import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { environment } from "../../functions/names.ts";
import { writeBundle } from "../../infra/bundle.ts";
import { scopes } from "../../infra/scopes.ts";

const directories: string[] = [];
const directory = () => {
  directories.push(mkdtempSync(join(tmpdir(), "bundle-")));
  return directories.at(-1) ?? "";
};
afterEach(() => {
  for (const each of directories.splice(0)) rmSync(each, { recursive: true });
});

describe.each(["issue-token", "logout"] as const)("the bundle of %s", (name) => {
  it("is the same, byte for byte, wherever it is written", () => {
    const [here, there] = [directory(), directory()];
    writeBundle(name, scopes, here);
    writeBundle(name, scopes, there);
    expect(readdirSync(here).sort()).toEqual(["index.mjs", "index.mjs.map", "scopes.json"]);
    for (const file of readdirSync(here))
      expect(readFileSync(join(there, file)).equals(readFileSync(join(here, file)))).toBe(true);
  });

  it("is small, and has a map without sources", () => {
    const here = directory();
    writeBundle(name, scopes, here);
    expect(statSync(join(here, "index.mjs")).size).toBeLessThan(600_000);
    const map = JSON.parse(readFileSync(join(here, "index.mjs.map"), "utf8"));
    expect(map).not.toHaveProperty("sourcesContent");
    expect(map.sources).toContain(`../functions/${name}.ts`);
  });

  it("loads where no module lies beside it, and exports a handler", () => {
    const here = directory();
    writeBundle(name, scopes, here);
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
        [environment.apiId]: "abcdefghij",
        [environment.apiStage]: "v1",
      },
    });
    expect({ stdout, stderr }).toEqual({ stdout: "function\n", stderr: "" });
  });
});
