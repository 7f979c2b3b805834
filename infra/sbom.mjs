/** The packages in the functions' bundles, as a CycloneDX document: https://cyclonedx.org/docs/1.6/json/ */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * The same for the same bundles: without an id and a time of its own.
 *
 * @param {readonly string[]} folders of bundles, whose source maps name the files in them
 */
export function billOfMaterials(folders, { version }) {
  const packages = new Map();
  for (const folder of folders)
    for (const home of packageFoldersOf(folder)) {
      const { name, version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
      packages.set(`${name}@${version}`, { name, version, license });
    }
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: component({ name: "@looker-token-broker/construct", version, license: "Apache-2.0" }),
    },
    components: [...packages.keys()].sort().map((key) => component(packages.get(key))),
  };
}

/** Paths of a map are relative to its bundle's place in the project. */
function packageFoldersOf(folder) {
  const { sources } = JSON.parse(readFileSync(join(folder, "index.mjs.map"), "utf8"));
  const root = resolve(import.meta.dirname, "../bundle");
  return new Set(
    sources.flatMap((source) => {
      const [home] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? [];
      return home === undefined ? [] : [resolve(root, home)];
    }),
  );
}

/** purl: https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md */
const component = ({ name, version, license }) => ({
  type: "library",
  "bom-ref": `${name}@${version}`,
  name,
  version,
  purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  licenses: [{ license: { id: license } }],
});
