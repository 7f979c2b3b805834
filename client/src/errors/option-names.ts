/** Options by their names: a misspelt one would be left out in silence. */
import { TokenBrokerError } from "./token-broker-error.ts";

/** All names of a type's fields. The compiler asks for each of them. */
export const optionNames = <Options>(names: Readonly<Record<keyof Options, true>>): readonly string[] =>
  Object.keys(names);

/** `of` is the function or class in the message. */
export function checkOptions(of: string, options: object, names: readonly string[]): void {
  for (const given of Object.keys(options)) {
    if (names.includes(given)) continue;
    const near = names.find((name) => distance(name.toLowerCase(), given.toLowerCase()) <= 2);
    throw new TokenBrokerError("bad_request", `${of} has no option \`${given}\`.`, {
      hint: near ? `Did you mean \`${near}\`?` : `The options are ${names.join(", ")}.`,
    });
  }
}

/** Levenshtein's: insertions, deletions and replacements of a letter. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++)
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other[j] ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
