/**
 * Text of an answer, for a terminal. An escape sequence in a title could rewrite the lines above it, or type for the user
 * (https://cwe.mitre.org/data/definitions/150.html). A bidirectional mark could show a reason or a name the wrong way round.
 */

/** Controls (C0, DEL, C1), line and paragraph separators, lone surrogates and invisible formats, but for the two joiners of scripts and emoji. */
const unsafe = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const replacement = "\ufffd";

export const safeText = (text: string): string => text.replace(unsafe, replacement);

/** The same for each text of an answer's JSON: names of fields, too. */
export function safeJson(value: unknown): unknown {
  if (typeof value === "string") return safeText(value);
  if (Array.isArray(value)) return value.map(safeJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [safeText(name), safeJson(each)]));
}

/** Of `colour.ts`, with the line feed and the tab: all that this program writes itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const own = /(\x1b\[(?:1|2|22|31|32|33|39)m|[\n\t])/;

/** For a whole output of this program, as the last gate before the terminal. */
export const safeOutput = (text: string): string =>
  text
    .split(own)
    .map((part, at) => (at % 2 === 1 ? part : safeText(part)))
    .join("");
