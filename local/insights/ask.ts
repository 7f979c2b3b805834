/** A query's text, run over the lines of a record file. */
import { eventOf } from "./events.ts";
import { parseQuery } from "./parse.ts";
import { type Result, runQuery } from "./run.ts";

/** `now`: epoch milliseconds. */
export function ask(query: string, lines: readonly string[], now: number): Result {
  return runQuery(
    parseQuery(query),
    lines.map((line) => eventOf(line)),
    now,
  );
}
