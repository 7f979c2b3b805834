/** What npm installs for a package: which others by the lock file, and how much by their folders. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** By folder, as of https://docs.npmjs.com/cli/configuring-npm/package-lock-json#packages */
const locked: Readonly<Record<string, { dependencies?: Record<string, string> }>> = JSON.parse(
  readFileSync(join(root, "package-lock.json"), "utf8"),
).packages;

/** The folders of all that the package in this folder depends on, directly or not; its own is not among them. */
export function dependenciesOf(folder: string): Set<string> {
  const found = new Set<string>();
  const visit = (from: string) => {
    for (const name of Object.keys(locked[from]?.dependencies ?? {})) {
      const to = resolved(name, from);
      if (found.has(to)) continue;
      found.add(to);
      visit(to);
    }
  };
  visit(folder);
  return found;
}

/** As Node looks: in the nearest `node_modules` upwards. */
function resolved(name: string, from: string): string {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const candidate = posix.join(folder, "node_modules", name);
    if (candidate in locked) return candidate;
    if (folder === ".") throw new Error(`The lock file has no ${name} for ${from}.`);
  }
}

/** Of the files in these folders, without the packages that npm has nested there. */
export function unpackedBytes(folders: Iterable<string>): number {
  let bytes = 0;
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile()) bytes += statSync(path).size;
      else if (entry.name !== "node_modules") visit(path);
    }
  };
  for (const folder of folders) visit(join(root, folder));
  return bytes;
}

/** Of what is published of the workspace in this folder. */
export function publishedBytes(workspace: string): number {
  const text = execFileSync(
    "npm",
    ["pack", "--dry-run", "--json", "--ignore-scripts", `--workspace=${workspace}`],
    {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      shell: process.platform === "win32",
    },
  );
  return JSON.parse(text)[0].unpackedSize;
}
