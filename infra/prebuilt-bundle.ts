/** The bundles of the published construct: made when it was packed, so that synthesis needs no bundler. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { FunctionName } from "./function-names.ts";

/** The folder of the bundles. */
export const bundleSource = join(import.meta.dirname, "../bundles");

/** Copies a function's bundle into a folder. */
export function writeBundle(name: FunctionName, outputDirectory: string): void {
  cpSync(join(bundleSource, name), outputDirectory, { recursive: true });
}
