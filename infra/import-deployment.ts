/** Loads a scopes file: its `scopes` and `settings`. The stack checks their content. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ScopeDefinitions } from "./index.ts";
import { nearestName } from "./nearest-name.ts";
import type { BrokerSettings } from "./stack.ts";

export class ScopesFileError extends Error {}

const exported = ["scopes", "settings"];

export async function importDeployment(
  file: string,
): Promise<{ scopes: ScopeDefinitions; settings?: BrokerSettings }> {
  const url = pathToFileURL(resolve(file)).href;
  let module: { scopes?: ScopeDefinitions; settings?: BrokerSettings };
  try {
    module = await import(url);
  } catch (error) {
    const where = whereLoadingFails(url);
    throw new ScopesFileError(
      `The scopes file ${file} cannot be loaded: ${where}${(error as Error).message ?? error}`,
    );
  }
  const { scopes, settings } = module;
  // Settings under a misspelt name would all have their defaults.
  for (const name of Object.keys(module)) {
    const meant = exported.includes(name) ? undefined : nearestName(name, exported);
    if (meant !== undefined)
      throw new ScopesFileError(
        `The scopes file ${file} exports "${name}", which is not read. Did you mean ${meant}?`,
      );
  }
  if (scopes === undefined) throw new ScopesFileError(`The scopes file ${file} exports no "scopes".`);
  if (settings !== undefined && typeof settings !== "function")
    throw new ScopesFileError(
      `The scopes file ${file} exports "settings" that are not a function: write (stack) => ({ … }).`,
    );
  return { scopes, ...(settings && { settings }) };
}

/**
 * "FILE:LINE: ", or nothing. For a syntax error in JavaScript Node tells nobody the place but the terminal, when nothing has
 * caught the error. So the file is loaded once more in a process that dies of it.
 */
function whereLoadingFails(url: string): string {
  const program = `await import(${JSON.stringify(url)})`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  // A line of its own, or a frame of the stack.
  for (const [, line = "", frame = line] of stderr.matchAll(/^(\S.*:\d+)$|\b(file:\/\/[^\s()]+?:\d+)\b/gm)) {
    const [, place = "", number] = /^(.*):(\d+)$/.exec(frame) ?? [];
    const path = place.startsWith("file:") ? fileURLToPath(place) : place;
    if (existsSync(path) && !/[/\\]node_modules[/\\]/.test(path))
      return `${relative(process.cwd(), path)}:${number}: `;
  }
  return "";
}
