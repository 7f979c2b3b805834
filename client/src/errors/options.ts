/**
 * Options by name and type, for callers without a compiler: a misspelt one would be left out in silence, and one of a wrong
 * type would fail much later.
 */
import { TokenBrokerError } from "./token-broker-error.ts";

const kinds = {
  string: ["a string", (value: unknown) => typeof value === "string"],
  number: ["a number", (value: unknown) => typeof value === "number"],
  function: ["a function", isFunction],
  object: ["an object", isObject],
  signal: [
    "an AbortSignal",
    (value: unknown) => isObject(value) && isFunction(Object(value).addEventListener),
  ],
  credentials: [
    "AWS credentials or a provider of them",
    (value: unknown) => isFunction(value) || isObject(value),
  ],
} as const;

type Kinds = Readonly<Record<string, keyof typeof kinds>>;

/** The compiler asks for each of the type's fields. */
export const optionKinds = <Options>(of: Readonly<Record<keyof Options, keyof typeof kinds>>): Kinds => of;

/** `of` is the function or class in the message. No value is quoted. */
export function checkOptions(of: string, options: unknown, allowed: Kinds): void {
  if (!isObject(options)) throw new TokenBrokerError("bad_request", `${of} takes an object with options.`);
  const names = Object.keys(allowed);
  for (const [given, value] of Object.entries(options)) {
    const kind = Object.hasOwn(allowed, given) && allowed[given];
    if (!kind) {
      const near = names.find((name) => distance(name.toLowerCase(), given.toLowerCase()) <= 2);
      throw new TokenBrokerError("bad_request", `${of} has no option \`${given}\`.`, {
        hint: near ? `Did you mean \`${near}\`?` : `The options are ${names.join(", ")}.`,
      });
    }
    const [words, fits] = kinds[kind];
    if (value !== undefined && !fits(value))
      throw new TokenBrokerError("bad_request", `\`${given}\` of ${of} must be ${words}.`);
  }
}

export function checkFunction(of: string, name: string, value: unknown): void {
  if (!isFunction(value))
    throw new TokenBrokerError("bad_request", `\`${name}\` of ${of} must be a function.`);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
