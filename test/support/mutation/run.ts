/**
 * `npm run test:mutation [-- FILE …]`: StrykerJS changes the domain and the use cases, one place at a time, and runs the tests that
 * reach this place. If no test fails for a mutant, no test guards the rule. Without a file, it takes all of both folders.
 * `:10-20` after a file takes these lines only. Run it by hand, because it takes long (see equivalent.md for the last run).
 *
 * The first round runs the unit tests of both folders. The second runs all tests that reach them, including a part of the
 * model test, against the surviving mutants.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, merged, type Report, ranges, summary } from "./report.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));
/** Below the project's own node_modules, where the tests find their imports. */
const tool = join(root, ".cache", "mutation");
/** Stryker writes into the sources, and its preprocessor cannot read a `tsconfig.json` of TypeScript 7. */
const copy = join(tool, "project");

const asked = process.argv.slice(2);
const missing = asked.find((file) => !existsSync(join(root, file.replace(/:[\d:-]+$/, ""))));
if (missing !== undefined) {
  process.stderr.write(
    `There is no file ${missing}. Name files from the project's root, as functions/domain/slot.ts.\n`,
  );
  process.exit(2);
}

mkdirSync(tool, { recursive: true });
for (const name of ["package.json", "package-lock.json"]) cpSync(join(here, name), join(tool, name));
// Without peers: Vitest is the project's own.
const install = ["ci", "--legacy-peer-deps", "--no-audit", "--no-fund", "--silent"];
execFileSync("npm", install, { cwd: tool, stdio: "inherit", shell: process.platform === "win32" });

rmSync(copy, { recursive: true, force: true });
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
  cwd: root,
});
for (const file of tracked.toString().split("\0")) {
  if (file === "" || file.endsWith("tsconfig.json") || !existsSync(join(root, file))) continue;
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  cpSync(join(root, file), join(copy, file));
}

const near = round(
  "near",
  asked.length > 0 ? asked : ["functions/domain/**/*.ts", "functions/use-cases/**/*.ts"],
);
const left = ranges(near);
const mutants = left.length === 0 ? near : merged(near, round("all", left));
writeFileSync(join(tool, "mutants.json"), JSON.stringify(mutants, undefined, 1));
const { text, passed } = summary(mutants);
process.stdout.write(text);
process.exit(passed ? 0 : 1);

function round(name: "near" | "all", mutate: readonly string[]): Mutant[] {
  const report = join(tool, `${name}.json`);
  rmSync(report, { force: true });
  writeFileSync(
    join(copy, "stryker.conf.json"),
    JSON.stringify({
      testRunner: "vitest",
      plugins: ["@stryker-mutator/vitest-runner"],
      vitest: { configFile: "test/support/mutation/vitest.config.ts", related: false },
      mutate,
      inPlace: true,
      coverageAnalysis: "perTest",
      ignoreStatic: true,
      disableTypeChecks: "**/*.ts",
      reporters: ["progress-append-only", "json"],
      jsonReporter: { fileName: report },
      timeoutMS: 2_000,
      concurrency: 2,
    }),
  );
  const stryker = join(tool, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");
  const { status } = spawnSync(process.execPath, [stryker, "run", "stryker.conf.json"], {
    cwd: copy,
    stdio: "inherit",
    env: { ...process.env, MUTATION_ROUND: name },
  });
  if (!existsSync(report)) process.exit(status ?? 1);
  const { files } = JSON.parse(readFileSync(report, "utf8")) as Report;
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.map(({ location, mutatorName, replacement, status }) => {
      const { start, end } = location;
      const lines = source.split("\n").slice(start.line - 1, end.line);
      return { file, location, mutatorName, replacement, status, lines };
    }),
  );
}
