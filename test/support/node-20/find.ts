/** The oldest Node that the published packages support, where this machine has one. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Its path; undefined where there is none. That of the project itself, in node_modules, is newer. */
export function findNode20(): string | undefined {
  const named = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "" && !folder.includes("node_modules"))
    .map((folder) => join(folder, process.platform === "win32" ? "node.exe" : "node"));
  return named.find((path) => existsSync(path) && versionOf(path).startsWith("v20."));
}

const versionOf = (path: string) => execFileSync(path, ["--version"], { encoding: "utf8" });
