/** An answer, for programs. */
import type { Result } from "./run.ts";
import type { Row, Value } from "./values.ts";

export function asObjects({ columns, rows }: Result): Record<string, string | number | boolean | null>[] {
  const cell = (row: Row, column: string) => {
    const value = row.get(column) ?? null;
    return value instanceof Date ? textOf(value) : value;
  };
  return rows.map((row) => Object.fromEntries(columns.map((column) => [column, cell(row, column)])));
}

/** A timestamp as CloudWatch writes it: `2026-11-24 13:00:00.000`. */
export function textOf(value: Value): string {
  if (value instanceof Date) return value.toISOString().replace("T", " ").replace("Z", "");
  return String(value ?? "");
}
