/** The lines of a text that have at most this width. A longer word has a line of its own. */
export const wrapped = (text: string, width: number): string[] => joined(text.split(" "), width);

/**
 * The same for text from elsewhere, with longer words cut. No line reaches the edge of an 80-column terminal, where the rest of
 * it would begin a row of its own.
 */
export const wrappedClosely = (text: string, width: number): string[] =>
  joined(
    text.split(/\s+/u).flatMap((word) => cut(word, width)),
    width,
  );

function joined(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && columnsOf(last) + 1 + columnsOf(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function cut(word: string, width: number): string[] {
  const parts = [""];
  for (const character of word) {
    const last = parts.at(-1) ?? "";
    if (columnsOf(last + character) > width) parts.push(character);
    else parts[parts.length - 1] = last + character;
  }
  return parts;
}

/** At most: a character beyond ASCII may take two columns. */
const columnsOf = (text: string) =>
  [...text].reduce((columns, character) => columns + (character <= "~" ? 1 : 2), 0);
