/** Cuts a query into words, numbers, strings, patterns and signs. */
import { InsightsError } from "./syntax.ts";

export interface Token {
  readonly kind: "word" | "number" | "period" | "string" | "pattern" | "sign" | "end";
  /** Of a string or a pattern: what stands between its marks. */
  readonly text: string;
}

/**
 * No backslash is in a string, so that none of its escapes has to be guessed. A field with other characters than these would
 * want backticks: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Guidelines.html
 */
const kinds: readonly (readonly [Token["kind"] | "space", RegExp])[] = [
  ["space", /\s+/y],
  // "Lines that start with the # character are ignored": https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
  ["space", /(?<=^[^\S\n]*)#[^\n]*/my],
  ["word", /[A-Za-z_@][\w.@]*/y],
  ["period", /\d+[a-z]+\b/y],
  ["number", /\d+\b/y],
  ["string", /"([^"\\\n]*)"/y],
  ["pattern", /\/((?:[^/\\\n]|\\.)+)\//y],
  ["sign", /!=|<=|>=|[=<>|()[\],*]/y],
];

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const found = next(text, at);
    if (found.kind !== "space") tokens.push({ kind: found.kind, text: found.text });
    at = found.end;
  }
  return [...tokens, { kind: "end", text: "the end" }];
}

function next(text: string, at: number) {
  for (const [kind, pattern] of kinds) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { kind, text: match[1] ?? match[0], end: pattern.lastIndex };
  }
  throw new InsightsError(`Cannot read ${JSON.stringify(text.slice(at, at + 20))}.`);
}
