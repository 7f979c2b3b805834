/** A function's bundle: its entry file with all it imports in one `index.mjs`, and its source map. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import type { FunctionName } from "./function-names.ts";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/** The folder of the functions' sources. */
export const bundleSource = join(projectRoot, "functions");

/** Bundles a function into a folder. The published construct has `prebuilt-bundle.ts` in the place of this file. */
export function writeBundle(name: FunctionName, outputDirectory: string): void {
  bundleEntry(`functions/${name}.ts`, outputDirectory);
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
