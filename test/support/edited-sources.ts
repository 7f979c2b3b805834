/** Copies of the functions' sources with a few lines changed: mutants of the protocol, and releases that are yet to be. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

export interface Edit {
  /** Relative to `functions/`. */
  readonly file: string;
  /** Stands in the file exactly once: an edit that misses changes nothing, and nobody would know. */
  readonly find: string;
  readonly replace: string;
}

/** @param from the folder of the sources, and @param to of the copy: both end with a slash. */
export function copyEdited(
  { from, to }: { from: URL; to: URL },
  parts: readonly string[],
  edits: readonly Edit[],
): void {
  mkdirSync(to, { recursive: true });
  for (const part of parts) cpSync(new URL(part, from), new URL(part, to), { recursive: true });
  for (const { file, find, replace } of edits) {
    const url = new URL(file, to);
    const source = readFileSync(url, "utf8");
    if (source.split(find).length !== 2)
      throw new Error(`${file} must have exactly one ${JSON.stringify(find)}`);
    writeFileSync(
      url,
      source.replace(find, () => replace),
    );
  }
}
