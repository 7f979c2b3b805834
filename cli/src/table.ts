/** Aligned columns for people; programs take `--json`. */
import { stripVTControlCharacters } from "node:util";
import type { Paint } from "./colour.ts";

export function table(heads: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => width(row[column] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join("  ")
      .trimEnd();
  return [paint("bold", line(heads)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

const width = (text: string) => stripVTControlCharacters(text).length;
