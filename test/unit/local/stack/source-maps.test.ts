import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeBundle } from "../../../../infra/bundle.ts";
import { completeSourceMaps } from "../../../../local/stack/source-maps.ts";

test("a completed source map leads to the sources, wherever the bundle is", () => {
  const outdir = mkdtempSync(join(tmpdir(), "source-maps-"));
  onTestFinished(() => rmSync(outdir, { recursive: true }));
  const asset = join(outdir, "asset.0123");
  mkdirSync(asset);
  writeBundle("sweep", asset);

  completeSourceMaps(outdir);
  const map = JSON.parse(readFileSync(join(asset, "index.mjs.map"), "utf8"));
  const sources: URL[] = map.sources.map((source: string) => new URL(source, map.sourceRoot));
  expect(sources).toContainEqual(new URL("../../../../functions/sweep.ts", import.meta.url));
  expect(sources.filter((source) => !existsSync(source))).toEqual([]);
});
