/** The published packages as npm packs them, and projects with nothing but these. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { type Stand, startStand, startsWithinMs } from "./broker-stand.ts";
import { findNode20 } from "./node-20/find.ts";
import { environmentOf } from "./recipe.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const tool = (name: string) => realpathSync(join(root, "node_modules/.bin", name));

/** The Nodes for these tests: the project's own, and Node 20 if this machine has it. */
export const nodes: readonly (readonly [string, string])[] = [
  ["this Node", process.execPath],
  ...[findNode20()].flatMap((node) => (node ? [["Node 20", node] as const] : [])),
];

type Workspace = "client" | "cli";

const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const nameOf = (workspace: Workspace): string => manifestIn(join(root, workspace)).name;

interface Packed {
  readonly folder: string;
  readonly tarballs: Readonly<Record<Workspace, string>>;
}

/** Builds from a copy of the sources, because other tests use the `dist` of the workspaces and may be building it. */
function packed(): Packed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "looker-token-packed-")));
  const sources = join(folder, "sources");
  for (const workspace of ["client", "cli"])
    cpSync(join(root, workspace), join(sources, workspace), {
      recursive: true,
      filter: (path) => !/[\\/](dist|test|node_modules)$/.test(path),
    });
  cpSync(join(root, "tsconfig.json"), join(sources, "tsconfig.json"));
  link(join(root, "node_modules"), join(sources, "node_modules"));
  link(join(sources, "client"), join(sources, "cli/node_modules", nameOf("client")));
  const packOf = (workspace: Workspace) => pack(join(sources, workspace), folder);
  // In this order, because the command is built against the built library.
  return { folder, tarballs: { client: packOf("client"), cli: packOf("cli") } };
}

/** Builds and packs a workspace. @returns the tarball's path. */
export function pack(workspace: string, folder: string): string {
  const text = execFileSync("npm", ["pack", "--json", `--pack-destination=${folder}`], {
    cwd: workspace,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
  });
  // The build may print something before the JSON.
  const [{ filename }] = JSON.parse(text.slice(text.indexOf("[\n")));
  return join(folder, filename);
}

export function unpack(tarball: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
}

export function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, "junction");
}

export interface PackedStage {
  readonly tarballs: Packed["tarballs"];
  readonly stand: Stand;
  project(wanted: Project): string;
  /** As report-service, by the environment alone. Asynchronous, because the broker runs in this process. */
  runs(home: string, args: readonly string[], node?: string, principal?: string): Promise<unknown>;
}

/** For one test file: the packages and a broker, from before its tests to their end. */
export function onPackedStage(): PackedStage {
  let packages: Packed;
  let stand: Stand;
  beforeAll(async () => {
    packages = packed();
    stand = await startStand();
  }, startsWithinMs * 2);
  afterAll(async () => {
    await stand?.stop();
    if (packages) rmSync(packages.folder, { recursive: true, force: true });
  });
  return {
    get tarballs() {
      return packages.tarballs;
    },
    get stand() {
      return stand;
    },
    project: (wanted) => project(packages, wanted),
    runs: (home, args, node = process.execPath, principal = "report-service") =>
      new Promise((resolve) => {
        const options = { cwd: home, env: environmentOf(stand, principal), timeout: 60_000 };
        execFile(node, args, options, (error, stdout, stderr) =>
          resolve({ status: error ? error.code : 0, stdout, stderr }),
        );
      }),
  };
}

/** Own files and installed packages of a project. */
interface Project {
  readonly name: string;
  readonly manifest?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly packages: readonly Workspace[];
  /** More packages, from the registry. */
  readonly others?: readonly string[];
}

/** An empty project with the packages, their dependencies and `others`. Nothing else can be imported there. */
function project({ folder, tarballs }: Packed, wanted: Project): string {
  const { name, manifest = {}, files = {}, packages, others = [] } = wanted;
  const home = join(folder, name);
  const installed = packages.map((workspace) => install(tarballs[workspace], home, workspace));
  const own = new Set(packages.map(nameOf));
  for (const each of new Set([
    ...installed.flatMap(({ dependencies }) => Object.keys(dependencies)),
    ...others,
  ]))
    if (!own.has(each)) link(join(root, "node_modules", each), join(home, "node_modules", each));
  writeFileSync(join(home, "package.json"), JSON.stringify({ name, private: true, ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text);
  return home;
}

/** As npm does, with a link for each command. @returns the package's manifest. */
function install(tarball: string, home: string, workspace: Workspace): { dependencies: object } {
  const folder = join(home, "node_modules", nameOf(workspace));
  unpack(tarball, folder);
  const { bin = {}, dependencies } = manifestIn(folder);
  for (const [command, file] of Object.entries<string>(bin))
    link(join(folder, file), join(home, "node_modules/.bin", command));
  return { dependencies };
}

export const filesIn = (tarball: string): string[] =>
  execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).split("\n").filter(Boolean);

/** Runs a checker of packages: its exit code, and its output if the code is not 0. */
export function verdictOf(
  name: string,
  tarball: string,
  options: readonly string[],
): [number | null, string] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool(name), tarball, ...options], {
    encoding: "utf8",
  });
  return [status, status === 0 ? "" : stdout + stderr];
}
