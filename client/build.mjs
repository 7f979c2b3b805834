/** `dist`: the same sources as ECMAScript modules and as CommonJS, each with its declarations. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const here = import.meta.dirname;
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
const compile = (project) =>
  execFileSync(process.execPath, [join(dirname(typescript), "bin/tsc"), "--project", project], {
    cwd: here,
    stdio: "inherit",
  });

rmSync(join(here, "dist"), { recursive: true, force: true });
compile("tsconfig.json");
compile("tsconfig.cjs.json");
// The package says that its .js files are ECMAScript modules; these are not.
writeFileSync(join(here, "dist/cjs/package.json"), '{ "type": "commonjs" }\n');
