/** `dist`: the command as ECMAScript modules. The library must have been built: npm run build -w client */
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildPage } from "./build-page.mjs";

const here = import.meta.dirname;
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");

rmSync(join(here, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [join(dirname(typescript), "bin/tsc"), "--project", "tsconfig.build.json"], {
  cwd: here,
  stdio: "inherit",
});
buildPage(join(here, "dist/console/page"));
chmodSync(join(here, "dist/main.js"), 0o755);
