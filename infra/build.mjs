/**
 * Makes `dist`. It holds the construct as an ECMAScript module and as CommonJS, with its declarations. It also holds the
 * functions' bundles with their checksums, and a CycloneDX document of the packages in the bundles.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { writeBundle } from "./bundle.ts";
import { functionNames } from "./function-names.ts";
import { billOfMaterials } from "./sbom.mjs";

const here = import.meta.dirname;
const dist = join(here, "dist");

rmSync(dist, { recursive: true, force: true });
bundleFunctions();
await bundleConstruct("esm");
await bundleConstruct("cjs");
declare();
copyFileSync(join(here, "../CHANGELOG.md"), join(here, "CHANGELOG.md"));
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const folders = functionNames.map((name) => join(dist, "bundles", name));
writeFileSync(
  join(dist, "sbom.cdx.json"),
  `${JSON.stringify(billOfMaterials(folders, { version }), null, 2)}\n`,
);

function bundleFunctions() {
  const sums = [];
  for (const name of functionNames) {
    const folder = join(dist, "bundles", name);
    mkdirSync(folder, { recursive: true });
    writeBundle(name, folder);
    for (const file of readdirSync(folder)) {
      const sum = createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex");
      sums.push(`${sum}  ${name}/${file}\n`);
    }
  }
  // As `sha256sum --check` reads it.
  writeFileSync(join(dist, "bundles/SHA256SUMS"), sums.join(""));
}

/** With the bundles built in: no app of a user needs esbuild. */
async function bundleConstruct(format) {
  const prebuilt = {
    name: "prebuilt bundles",
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\/bundle\.ts$/ }, () => ({ path: join(here, "prebuilt-bundle.ts") })),
  };
  await build({
    absWorkingDir: here,
    entryPoints: ["index.ts"],
    outfile: `dist/${format}/index.js`,
    bundle: true,
    platform: "node",
    target: "node20.11",
    format,
    plugins: [prebuilt],
    external: ["aws-cdk-lib", "constructs"],
    ...(format === "cjs" ? { define: { "import.meta.dirname": "__dirname" } } : {}),
    logLevel: "warning",
  });
}

function declare() {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  execFileSync(process.execPath, [join(dirname(typescript), "bin/tsc"), "--project", "tsconfig.json"], {
    cwd: here,
    stdio: "inherit",
  });
  cpSync(join(dist, "esm"), join(dist, "cjs"), {
    recursive: true,
    filter: (path) => !path.endsWith(join("esm", "index.js")),
  });
  // In this package .js files are ECMAScript modules, but not in this folder.
  writeFileSync(join(dist, "cjs/package.json"), '{ "type": "commonjs" }\n');
}
