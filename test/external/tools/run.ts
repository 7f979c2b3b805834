/** Runs a tool of tools.ts. */
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { start } from "../../support/recipe.ts";
import type { Tool } from "./tools.ts";

/** The values of the templates. */
export interface LookerAddress {
  /** `http://127.0.0.1:4191` */
  readonly base: string;
  readonly host: string;
  readonly port: string;
  readonly id: string;
  readonly secret: string;
}

/** Path of the tool. Undefined for an optional tool that is absent. */
export function pathOf({
  name,
  folder,
  command,
  optional,
}: Pick<Tool, "name" | "folder" | "command" | "optional">): string | undefined {
  if (folder === undefined) return command;
  const directory = process.env[folder];
  const path = directory === undefined ? undefined : resolve(directory, command);
  if (path !== undefined && existsSync(path)) return path;
  if (optional) return undefined;
  throw new Error(`${folder} does not lead to ${command} of ${name} (test/external/tools/requirements.txt)`);
}

/** Replaces `{base}` and the others. */
export function filled(template: string, address: LookerAddress): string {
  return template.replace(/\{(base|host|port|id|secret)\}/g, (_, key: keyof LookerAddress) => address[key]);
}

/** The tool's environment has its own variables and this process's PATH, and nothing else. */
export function run(tool: Tool, path: string, address: LookerAddress, directory: string) {
  const env = Object.fromEntries(
    Object.entries(tool.env).map(([name, template]) => [name, filled(template, address)]),
  );
  if (tool.readsIni) writeFileSync(join(directory, "looker.ini"), filled(ini, address), { mode: 0o600 });
  return start(path, [...tool.args], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? "", HOME: directory, ...env },
  }).ended;
}

/** Options of `exec --proxy` that give the tool its settings. It sets the variables of Looker's SDKs by itself. */
export function proxyOptions({ env, readsIni }: Tool): string[] {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("LOOKERSDK_"));
  return [
    ...others.flatMap(([name, template]) => ["--env", `${name}=${template}`]),
    ...(readsIni ? ["--ini", "looker.ini"] : []),
  ];
}

const ini = `[Looker]
base_url={base}
client_id={id}
client_secret={secret}
`;
