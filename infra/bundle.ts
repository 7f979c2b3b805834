/** One function's deployment package: its entry file with all it imports in one `index.mjs`, and the scopes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { buildSync } from "esbuild";
import { scopesFile } from "../functions/contract.ts";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/** The functions, each named after its entry file in `functions/`. */
export type FunctionName = "issue-token" | "logout" | "operate" | "sweep";

/** Bundles a function while its stack is synthesized, and only if that stack is wanted (not for `cdk ls`). */
export function bundledCode(name: FunctionName, scopes: ScopeDefinitions | undefined): Code {
  return Code.fromAsset(join(projectRoot, "functions"), {
    // Of what comes out: a change that no bundle shows redeploys nothing.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled or run: `local` below always does the work. The command tells one function's asset from
      // another's in CDK's cache of staged assets, which is kept by these options.
      image: DockerImage.fromRegistry("unused"),
      command: [name, JSON.stringify(scopes ?? null)],
      local: {
        tryBundle(outputDirectory) {
          writeBundle(name, scopes, outputDirectory);
          return true;
        },
      },
    },
  });
}

/** Writes a function's `index.mjs`, its source map and, for those that need it, `scopes.json`. */
export function writeBundle(
  name: FunctionName,
  scopes: ScopeDefinitions | undefined,
  outputDirectory: string,
): void {
  bundleEntry(`functions/${name}.ts`, outputDirectory);
  if (scopes) writeFileSync(join(outputDirectory, scopesFile), `${JSON.stringify(scopes, null, 2)}\n`);
}

/** `entry` is relative to the project. The same sources give the same bytes, wherever they are. */
export function bundleEntry(entry: string, outputDirectory: string): void {
  const { outputFiles } = buildSync({
    absWorkingDir: projectRoot,
    entryPoints: [entry],
    // Only names the output: with `write: false` it makes the map's paths independent of the real directory.
    outfile: "bundle/index.mjs",
    write: false,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    minify: true,
    // Read by nobody until an operator sets NODE_OPTIONS=--enable-source-maps to hunt an error: having Node read
    // the map at every cold start took 9 ms of 112. Without the sources: they are in the repository.
    sourcemap: "linked",
    sourcesContent: false,
    // The ESM builds of the AWS SDK: smaller, since unused exports fall away.
    mainFields: ["module", "main"],
    // A third of the bundle, for credentials that Lambda never has.
    alias: { "@aws-sdk/credential-provider-node": "./functions/adapters/lambda-credentials.ts" },
    // What was tested is what runs: the SDK that Lambda's runtime brings is not used.
    external: [],
    logLevel: "silent",
  });
  for (const { path, contents } of outputFiles)
    writeFileSync(join(outputDirectory, path.endsWith(".map") ? "index.mjs.map" : "index.mjs"), contents);
}
