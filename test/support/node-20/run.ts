/**
 * Runs the tests of the published packages on the oldest Node that they support, with that Node of this machine. Vitest
 * itself asks for a newer one; it works but for the reporters that explain failures, so this one writes TAP.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { findNode20 } from "./find.ts";

const node = findNode20();
if (!node) {
  console.error(
    "There is no Node 20 on the PATH: the tests of the library and the command were not run on the oldest Node that they support.",
  );
  process.exit(1);
}
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const wanted = process.argv.slice(2).filter((argument) => argument !== "--reporter=default");
const { status } = spawnSync(
  node,
  [vitest, "run", "--project", "client", "--project", "cli", "--reporter=tap-flat", ...wanted],
  {
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
