/**
 * The bundles' source maps, completed for a debugger. As they are synthesized, they name each source from a folder `bundle` of
 * the project, so that the same sources give the same bytes everywhere. A debugger needs the place of this folder.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const sourceRoot = new URL("../../bundle/", import.meta.url).href;

export function completeSourceMaps(outdir: string): void {
  for (const name of globSync("asset.*/index.mjs.map", { cwd: outdir })) {
    const file = join(outdir, name);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), sourceRoot }));
  }
}
