/** What a recipe finds where it runs: the built package, and an environment as AWS gives it to a task or an instance. */
import { execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { callerOf, type Stand } from "./broker-stand.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const recipe = (path: string) => join(root, "examples", path);

/** `client/dist`, where recipes import the package from. */
export const buildClient = () => build("client", "dist/cjs/package.json");

/** The file that an installed `looker-token` runs. */
export function buildCommand(): string {
  buildClient();
  return build("cli", "dist/main.js");
}

/** Skips the build if its last file is younger than all sources. @returns the path of the last file. */
function build(workspace: string, last: string): string {
  const folder = join(root, workspace);
  const sources = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" }).map((file) =>
    join("src", file),
  );
  const inputs = [
    ...sources,
    ...readdirSync(folder).filter((file) => /^(package|tsconfig.*)\.json$|^build\.mjs$/.test(file)),
  ];
  const changed = Math.max(...inputs.map((file) => statSync(join(folder, file)).mtimeMs));
  const built = join(folder, last);
  if (!existsSync(built) || statSync(built).mtimeMs <= changed)
    execFileSync(process.execPath, [join(folder, "build.mjs")], { stdio: "inherit" });
  return built;
}

/** The environment of a local principal. No credentials come in from outside, and none are looked for on the network. */
export function environmentOf(stand: Stand, name: string): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = callerOf(stand, name).principal;
  return {
    PATH: process.env.PATH ?? "",
    HOME: stand.workDir,
    AWS_EC2_METADATA_DISABLED: "true",
    LOOKER_BROKER_ENDPOINT: stand.broker.endpoint,
    AWS_REGION: stand.broker.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}

export interface Ran {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

/** Not synchronously: the broker is in this process. */
export function start(
  command: string,
  args: string[],
  options: Pick<SpawnOptions, "env" | "cwd" | "detached">,
) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, out, err }));
  });
  return { child, ended, said: () => out + err };
}

/** A service that says `Listening on port N.` when it does. */
export async function startService(...command: Parameters<typeof start>) {
  const service = start(...command);
  const port = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const [, found] = /Listening on port (\d+)\./.exec(service.said()) ?? [];
      if (found !== undefined) resolve(found);
    };
    service.child.stdout.on("data", look);
    void service.ended.then(({ out, err }) => reject(new Error(`It ended: ${out}${err}`)), reject);
  });
  return { ...service, url: `http://127.0.0.1:${port}` };
}

/** A folder for PATH, with commands of the test's own in it. */
export function commandsOf(stand: Stand, commands: Record<string, { linkTo: string } | { script: string }>) {
  const folder = join(stand.workDir, "bin");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, command] of Object.entries(commands)) {
    if ("linkTo" in command) symlinkSync(command.linkTo, join(folder, name));
    else writeFileSync(join(folder, name), command.script, { mode: 0o755 });
  }
  return folder;
}
