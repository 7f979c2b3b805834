/** Bundles for measuring, made exactly as those that are deployed, and what is in them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleEntry } from "../infra/bundle.ts";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));
/** Within the project, so that what is bundled from here finds the project's packages. */
const cache = join(projectRoot, "node_modules/.cache");
mkdirSync(cache, { recursive: true });
const workDir = mkdtempSync(join(cache, "token-broker-bench-"));
process.once("exit", () => rmSync(workDir, { recursive: true }));

/** Of an entry file that need not be in `functions/`; returns the folder of the bundle. */
export function bundle(entry: string): string {
  const folder = mkdtempSync(join(workDir, "bundle-"));
  bundleEntry(relative(projectRoot, entry), folder);
  return folder;
}

/** Of an entry file's text. */
export function bundleText(text: string): string {
  const entry = join(mkdtempSync(join(workDir, "entry-")), "entry.ts");
  writeFileSync(entry, text);
  return bundle(entry);
}

export const bundleBytes = (folder: string): number => statSync(join(folder, "index.mjs")).size;

/** How many bytes of a bundle came from which package, or from the project itself. */
export function bytesByPackage(folder: string): Map<string, number> {
  const map = new SourceMap(JSON.parse(readFileSync(join(folder, "index.mjs.map"), "utf8")));
  const bytes = new Map<string, number>();
  for (const [line, text] of readFileSync(join(folder, "index.mjs"), "utf8").split("\n").entries()) {
    for (let column = 0; column < text.length; column++) {
      const found = map.findEntry(line, column);
      const source = "originalSource" in found ? found.originalSource : "";
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? "the project";
      bytes.set(name, (bytes.get(name) ?? 0) + 1);
    }
  }
  return bytes;
}
