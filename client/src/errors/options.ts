/**
 * Options by name and type, for callers without a compiler: a misspelt one would be left out in silence, and one of a wrong
 * type would fail much later.
 */
import { TokenBrokerError } from "./token-broker-error.ts";

type Kind = "string" | "number" | "function" | "object" | "object or function" | "AbortSignal";

/** The compiler asks for each of the type's fields. */
export type OptionKinds<Options> = Readonly<Record<keyof Options, Kind>>;

/** `of` is the function or class in the message. No value is quoted. */
export function checkOptions(of: string, options: unknown, kinds: Readonly<Record<string, Kind>>): void {
  if (!isOf("object", options)) throw refused(`${of} takes an object with options.`);
  for (const [given, value] of Object.entries(Object(options))) {
    const kind = Object.hasOwn(kinds, given) ? kinds[given] : undefined;
    if (!kind) throw refused(`${of} has no option \`${given}\`.`, nearest(given, Object.keys(kinds)));
    if (value !== undefined) checkKind(`\`${given}\` of ${of}`, kind, value);
  }
}

export function checkKind(what: string, kind: Kind, value: unknown): void {
  if (!isOf(kind, value)) throw refused(`${what} must be of the type ${kind}.`);
}

/** An AbortSignal of a polyfill, or of another realm such as Jest's, is one too. */
function isOf(kind: Kind, value: unknown): boolean {
  if (kind === "AbortSignal") return typeof Object(value).addEventListener === "function";
  return value !== null && !Array.isArray(value) && kind.split(" or ").includes(typeof value);
}

const refused = (summary: string, hint?: string) => new TokenBrokerError("bad_request", summary, { hint });

function nearest(given: string, names: readonly string[]): string {
  const near = names.find((name) => distance(name.toLowerCase(), given.toLowerCase()) <= 2);
  return near ? `Did you mean \`${near}\`?` : `The options are ${names.join(", ")}.`;
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
