/** An answer for people, and for programs. */
import type { Result } from "./run.ts";
import type { Row, Value } from "./values.ts";

/** Columns that no row has a value for are left out: a terminal is narrow. */
export function asTable({ columns, rows }: Result): string {
  if (rows.length === 0) return "Nothing.\n";
  const shown = columns.filter((column) => rows.some((row) => row.get(column) !== undefined));
  const lines = [shown, ...rows.map((row) => shown.map((column) => textOf(row.get(column))))];
  const widths = shown.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

export function asJson(result: Result): string {
  return `${JSON.stringify(asObjects(result), null, 2)}\n`;
}

export function asObjects({ columns, rows }: Result): Record<string, string | number | boolean | null>[] {
  const cell = (row: Row, column: string) => {
    const value = row.get(column) ?? null;
    return value instanceof Date ? textOf(value) : value;
  };
  return rows.map((row) => Object.fromEntries(columns.map((column) => [column, cell(row, column)])));
}

/** A timestamp as CloudWatch writes it: `2026-11-24 13:00:00.000`. */
function textOf(value: Value): string {
  if (value instanceof Date) return value.toISOString().replace("T", " ").replace("Z", "");
  return String(value ?? "");
}
