/**
 * Text from outside, safe for a terminal and a log: an answer could otherwise move the cursor, colour or reorder a line
 * (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing) or forge another. Control characters (C0, C1) and line
 * separators become blanks. Invisible format characters, such as those for the direction of text, disappear.
 */
export const printable = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\p{Cf}/gu, "")
    .trim();
