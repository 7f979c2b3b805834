/** The template of the documented example, made comparable with another version of it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The template of the last release. `npm run release:check -- --freeze` writes it. */
export const frozenTemplateFile = fileURLToPath(new URL("frozen-template.json", import.meta.url));

export interface ComparableTemplate {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
}

/** Code changes with each commit, and a deployment's id with each change of its API. Neither says anything of an upgrade. */
export function todaysTemplate(): ComparableTemplate {
  const outdir = mkdtempSync(join(tmpdir(), "template-"));
  try {
    execFileSync(process.execPath, ["infra/app.ts"], {
      cwd: root,
      env: { CDK_OUTDIR: outdir, CDK_DEFAULT_ACCOUNT: "111122223333", CDK_DEFAULT_REGION: "us-east-1" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const text = readFileSync(join(outdir, "looker-token-broker.template.json"), "utf8")
      .replace(/[0-9a-f]{64}\.zip/g, "code.zip")
      .replace(/(RestApiDeployment[0-9A-F]{8})[0-9a-f]{32}/g, "$1");
    return JSON.parse(text);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
