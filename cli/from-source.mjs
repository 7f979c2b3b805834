/**
 * `node --import ./cli/from-source.mjs cli/src/main.ts` runs the command from a fresh clone, without a build. Imports of the
 * library lead to the library's sources. This file is not published.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const client = new URL("../client/", import.meta.url);
const { name, exports } = JSON.parse(readFileSync(new URL("package.json", client), "utf8"));

/** Undefined for everything but an export of the library, because only exports can be imported of the published one. */
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
