/** The page's files, all in memory: no path of a request ever becomes a path of the disk. */
import { readFileSync } from "node:fs";

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

const types: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
  "page.js": "text/javascript; charset=utf-8",
};

/** By the rest of the path. The page itself has none. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = await builtPage();
  return new Map(
    Object.entries(types).map(([name, type]) => [
      name === "index.html" ? "" : name,
      { type, bytes: readFileSync(new URL(name, folder)) },
    ]),
  );
}

/** The package has the page built. A clone of the repository builds it now. */
async function builtPage(): Promise<URL> {
  if (!import.meta.url.endsWith(".ts")) return new URL("page/", import.meta.url);
  const builder = new URL("../../build-page.mjs", import.meta.url);
  const { pageFromSource } = await import(builder.href);
  return pageFromSource();
}
