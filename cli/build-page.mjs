/** The console's page, from its sources to static files. Only the page is bundled: the command's own modules stay as they are. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";

const sources = join(import.meta.dirname, "src/console/page");

/** The licence of Preact wants to stand in each copy. */
const licence = () =>
  readFileSync(
    new URL(import.meta.resolve("preact/package.json").replace("package.json", "LICENSE")),
    "utf8",
  );

/** @param {string} folder */
export function buildPage(folder) {
  mkdirSync(folder, { recursive: true });
  buildSync({
    entryPoints: [join(sources, "page.tsx")],
    outfile: join(folder, "page.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome111", "firefox111", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    banner: { js: `/*! Preact\n${licence()}*/` },
    logLevel: "warning",
  });
  for (const name of ["index.html", "page.css", "icon.svg"])
    copyFileSync(join(sources, name), join(folder, name));
}

let built;

/** For a run from the sources: into a folder that is removed with the process. */
export function pageFromSource() {
  if (built) return built;
  const folder = mkdtempSync(join(tmpdir(), "looker-token-page-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  buildPage(folder);
  built = pathToFileURL(`${folder}/`);
  return built;
}
