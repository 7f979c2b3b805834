/** A labelled text, folded to a terminal's usual width. */
import { wrappedClosely } from "./wrapped.ts";

const columns = 80;
const labelWidth = 9;

/**
 * Only this program writes into the column of labels: a long name from elsewhere cannot imitate a line of its own.
 *
 * @example
 * frozen     sales, by arn:aws:iam::111122223333:role/platform-engineer at
 *            2026-11-24T12:00:00Z: incident 42
 */
export function field(
  label: string,
  text: string,
  paintLabel: (text: string) => string = (same) => same,
): string[] {
  const indent = " ".repeat(labelWidth + 2);
  return wrappedClosely(text, columns - indent.length).map((line, at) =>
    at === 0 ? `${paintLabel(label.padEnd(labelWidth))}  ${line}\n` : `${indent}${line}\n`,
  );
}
