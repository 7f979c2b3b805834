/**
 * Lets the four entry files be loaded just as they are deployed, but that the adapters, which know AWS and Looker, give way
 * to the broker in memory. It imports nothing of the project: whatever is loaded before it stays as it is.
 * https://nodejs.org/docs/latest-v24.x/api/module.html#moduleregisterhooksoptions
 */
import { registerHooks } from "node:module";

/** Replaces one place of one file, given from the root of the project. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = new URL("../../../", import.meta.url);
const standIn = new URL("adapters.ts", import.meta.url).href;
const replaced = new Set(
  ["dynamodb-slot-table", "kms-sealer", "looker-api", "secrets-manager", "system"].map(
    (name) => new URL(`functions/adapters/${name}.ts`, root).href,
  ),
);

/** In a bundle the scopes lie beside the entry. */
const ownScopes: Edit = {
  file: "functions/contract.ts",
  find: '"scopes.json"',
  replace: JSON.stringify(new URL("scopes.json", import.meta.url)),
};

export function hookModules(edits: readonly Edit[]): void {
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      return replaced.has(found.url) && context.parentURL !== standIn ? { ...found, url: standIn } : found;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const wanted = [ownScopes, ...edits].filter(({ file }) => new URL(file, root).href === url);
      return wanted.length === 0
        ? loaded
        : { ...loaded, source: wanted.reduce(edited, String(loaded.source)) };
    },
  });
}

function edited(source: string, { file, find, replace }: Edit): string {
  if (source.split(find).length !== 2)
    throw new Error(`${file} must have exactly one ${JSON.stringify(find)}`);
  return source.replace(find, () => replace);
}
