/** The rows of an answer as a table, or one below the other where a table would be too wide. Pure. */
import type { Paint } from "../colour.ts";
import { safeText } from "../safe-text.ts";
import { table } from "../table.ts";
import type { AnswerRow } from "./run-query.ts";

export function answerText(
  rows: readonly AnswerRow[],
  paint: Paint,
  columns = Number.POSITIVE_INFINITY,
): string {
  const heads = columnsOf(rows);
  const cells = rows.map((row) => heads.map((head) => safeText(row[head] ?? "")));
  const text = table(heads, cells, (_, cell) => cell);
  if (text.indexOf("\n") <= columns && text.split("\n").every((line) => line.length <= columns))
    return table(heads, cells, paint);
  return rows
    .map((row) =>
      Object.entries(row)
        .map(([head, value]) => `${paint("bold", `${head}:`)} ${safeText(value)}\n`)
        .join(""),
    )
    .join("\n");
}

/** In the order of the rows, each of which may lack some: a new one comes after the one that stands before it in its row. */
function columnsOf(rows: readonly AnswerRow[]): string[] {
  const columns: string[] = [];
  for (const row of rows) {
    let at = -1;
    for (const field of Object.keys(row)) {
      const known = columns.indexOf(field);
      if (known >= 0) at = known;
      else columns.splice(++at, 0, field);
    }
  }
  return columns;
}
