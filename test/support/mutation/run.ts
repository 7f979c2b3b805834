/**
 * `npm run test:mutation [-- FILE …]`: StrykerJS changes the domain and the use cases, one place at a time, and runs the tests that
 * reach this place. A mutant without a failing test is a rule without a guard. Without a file, it changes all of both folders.
 * A file may be followed by its lines, as `:10-20`. By hand: about seven minutes for a thousand mutants on two cores.
 *
 * The run works on a copy: Stryker writes into the sources, and its preprocessor cannot read a `tsconfig.json` of TypeScript 7.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));
/** Below the project's own node_modules, where the tests find their imports. */
const tool = join(root, ".cache", "mutation");
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

// One project: each test runs in the process of the mutant. The model test has its own mutants, in test/model/mutants.ts,
// because with a random seed it would catch a mutant in one run and not in the next.
writeFileSync(
  join(copy, "vitest.config.ts"),
  `import { defineConfig } from "vitest/config";
export default defineConfig({
  test: {
    include: ["test/unit/functions/**/*.test.ts", "test/security/*.test.ts", "test/contracts/{openapi,slot-table}/**/*.test.ts"],
    exclude: [
      "test/contracts/openapi/template.test.ts",
      "test/security/security-page.test.ts",
      // Its bounds on time do not hold for instrumented code.
      "test/security/regular-expression-denial-of-service.test.ts",
    ],
    setupFiles: ["test/support/setup.ts"],
    testTimeout: 20_000,
    isolate: false,
  },
});
`,
);
const mutate = asked.length > 0 ? asked : ["functions/domain/**/*.ts", "functions/use-cases/**/*.ts"];
writeFileSync(
  join(copy, "stryker.conf.json"),
  JSON.stringify({
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "vitest.config.ts" },
    mutate,
    inPlace: true,
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    disableTypeChecks: "**/*.ts",
    reporters: ["progress-append-only", "clear-text", "json"],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    allowEmpty: false,
    thresholds: { high: 95, low: 90, break: 95 },
    timeoutMS: 10_000,
  }),
);
const stryker = join(tool, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");
const { status } = spawnSync(process.execPath, [stryker, "run", "stryker.conf.json"], {
  cwd: copy,
  stdio: "inherit",
});
process.exit(status ?? 1);
