/**
 * `npm run release:check`: versions, changelog, packages and tarballs agree, and no package holds anything else.
 * `-- --freeze` also writes the template for the comparison with later ones.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sectionOf } from "./changelog.ts";
import { frozenTemplateFile, todaysTemplate } from "./template.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const text = (file: string) => readFileSync(join(root, file), "utf8");
const json = (file: string) => JSON.parse(text(file));

/** The files that a package may hold. Sources, tests and notes of a build stay at home. */
const meant: Readonly<Record<string, RegExp>> = {
  client: /^(dist\/(esm|cjs)\/[\w/.-]+\.(js|d\.ts|json)|README\.md|LICENSE|package\.json)$/,
  cli: /^(dist\/[\w/.-]+\.(js|d\.ts)|dist\/console\/page\/(index\.html|page\.css|icon\.svg)|README\.md|LICENSE|package\.json)$/,
  infra:
    /^(dist\/(esm|cjs)\/([\w/.-]+\.d\.ts|index\.js|package\.json)|dist\/bundles\/(SHA256SUMS|[\w-]+\/index\.mjs(\.map)?)|dist\/[\w.-]+\.json|CHANGELOG\.md|README\.md|LICENSE|package\.json)$/,
};

const { values } = parseArgs({ options: { freeze: { type: "boolean", default: false } } });
const problems: string[] = [];
const version: string = json("package.json").version;
checkVersions();
const folder = mkdtempSync(join(tmpdir(), "release-"));
try {
  for (const workspace of Object.keys(meant)) checkPackage(workspace);
} finally {
  rmSync(folder, { recursive: true });
}
if (values.freeze) writeFileSync(frozenTemplateFile, `${JSON.stringify(todaysTemplate(), null, 2)}\n`);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(problems.length === 0 ? `${version} can be released.\n` : "");
process.exitCode = problems.length === 0 ? 0 : 1;

function checkVersions(): void {
  const lock = json("package-lock.json");
  const found: Record<string, string | undefined> = {
    "package-lock.json": lock.version,
    "cli/package.json, of the client": json("cli/package.json").dependencies["@looker-token-broker/client"],
  };
  for (const workspace of Object.keys(meant)) {
    found[`${workspace}/package.json`] = json(`${workspace}/package.json`).version;
    found[`package-lock.json, of ${workspace}`] = lock.packages[workspace]?.version;
  }
  const python = "client-python/pyproject.toml";
  if (existsSync(join(root, python))) found[python] = /^version = "([^"]+)"$/m.exec(text(python))?.[1];
  for (const [place, each] of Object.entries(found))
    if (each !== version) problems.push(`${place} says ${each}, and package.json says ${version}.`);
  const changelog = text("CHANGELOG.md");
  const isNext = sectionOf(changelog, "## [Unreleased]")?.includes(`To become ${version}.`);
  if (!isNext && sectionOf(changelog, `## [${version}]`) === undefined)
    problems.push(`CHANGELOG.md has no section of ${version}.`);
}

function checkPackage(workspace: string): void {
  const output = execFileSync("npm", ["pack", "--json", `--pack-destination=${folder}`], {
    cwd: join(root, workspace),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
  });
  const [packed] = JSON.parse(output.slice(output.indexOf("[\n")));
  const tarball = join(folder, packed.filename);
  if (packed.version !== version) problems.push(`${packed.filename} is of ${packed.version}.`);
  const unpacked = mkdtempSync(join(folder, `${workspace}-`));
  execFileSync("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"]);
  const files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
  for (const file of files) {
    if (!meant[workspace]?.test(file)) problems.push(`${packed.filename}: ${file} does not belong in it.`);
    const content = readFileSync(join(unpacked, file), "utf8");
    for (const path of [root.replace(/.$/, ""), homedir()])
      if (path.length > 5 && content.includes(path))
        problems.push(`${packed.filename}: ${file} names ${path}.`);
  }
  for (const needed of ["README.md", "LICENSE"])
    if (!files.includes(needed)) problems.push(`${packed.filename}: there is no ${needed}.`);
  for (const [checker, options] of [
    ["publint", ["--strict"]],
    ["attw", ["--format=ascii"]],
  ] as const) {
    // The command exports nothing, so there are no types to check.
    if (checker === "attw" && workspace === "cli") continue;
    const script = join(root, "node_modules/.bin", checker);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, tarball, ...options], {
      encoding: "utf8",
    });
    if (status !== 0) problems.push(`${packed.filename}: ${checker} says\n${stdout}${stderr}`);
  }
  process.stdout.write(`${packed.filename}: ${files.length} files, ${packed.unpackedSize} bytes\n`);
}
