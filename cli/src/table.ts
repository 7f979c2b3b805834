/** Aligned columns for people. Programs take `--json`. */
import { stripVTControlCharacters } from "node:util";
import type { Paint } from "./colour.ts";

export interface Folding {
  /** Of the terminal. Undefined elsewhere: a file or a pipe has room, and `grep` wants one line for each row. */
  readonly width: number | undefined;
  /** So many columns from the left say whom a row is about. */
  readonly keys: number;
}

/**
 * One line for each row. In a terminal that is too narrow, the keys of a row have a line of their own above the other cells.
 * Neighbours with the same keys share that line.
 */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  { width, keys }: Folding = { width: undefined, keys: 0 },
): string {
  const lines = aligned([heads, ...rows]);
  if (width === undefined || lines.every((line) => columnsOf(line) <= width))
    return textOf(lines.map((line, at) => (at === 0 ? paint("bold", line) : line)));
  const all = [heads, ...rows];
  const above = aligned(all.map((row) => row.slice(0, keys)));
  const below = aligned(all.map((row) => row.slice(keys))).map((line) => `  ${line}`);
  return textOf(
    above.flatMap((line, at) => {
      if (at === 0) return [paint("bold", line), paint("bold", below[0] ?? "")];
      return [...(at > 1 && line === above[at - 1] ? [] : [line]), below[at] ?? ""];
    }),
  );
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const [heads = []] = rows;
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => columnsOf(row[column] ?? ""))));
  return rows.map((row) =>
    heads
      .map((_, column) => row[column] ?? "")
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - columnsOf(cell)))
      .join("  ")
      .trimEnd(),
  );
}

const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

const columnsOf = (text: string) => stripVTControlCharacters(text).length;
