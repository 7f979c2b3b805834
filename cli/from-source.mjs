/**
 * `node --import ./cli/from-source.mjs cli/src/main.ts` runs the command from a fresh clone: what it imports of the library
 * is taken from the library's sources, since nothing has been built yet. It is not published.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const client = new URL("../client/", import.meta.url);
const { name, exports } = JSON.parse(readFileSync(new URL("package.json", client), "utf8"));

/** Only of what the library exports: nothing else could be imported of the published one. */
function sourceOf(specifier) {
  if (specifier !== name && !specifier.startsWith(`${name}/`)) return undefined;
  const built = exports[`.${specifier.slice(name.length)}`]?.import?.default;
  return built?.replace(/^\.\/dist\/esm\/(.+)\.js$/, "./src/$1.ts");
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const source = sourceOf(specifier);
    return source === undefined
      ? nextResolve(specifier, context)
      : nextResolve(new URL(source, client).href, context);
  },
});
