/**
 * The functions of `stats`, over the events of one group.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html#CWL_QuerySyntax-stats-functions
 */
import { InsightsError } from "./syntax.ts";
import { inOrder, type Row, type Value } from "./values.ts";

type AggregateFunction = (field: string, rows: readonly Row[]) => Value;

export const aggregateFunctions: ReadonlyMap<string, AggregateFunction> = new Map<string, AggregateFunction>([
  // "count(*) counts all events, while count(fieldName) counts all records that include the specified field name".
  ["count", (field, rows) => (field === "*" ? rows.length : present(field, rows).length)],
  // "The number of unique values for the field": approximate in CloudWatch where there are very many.
  ["count_distinct", (field, rows) => new Set(present(field, rows)).size],
  // Of no value at all it is missing here. The page does not say; an empty cell claims less than a nought.
  [
    "sum",
    (field, rows) =>
      numbers(field, rows).reduce<number | undefined>((all, one) => (all ?? 0) + one, undefined),
  ],
  [
    "max",
    (field, rows) => {
      const values = numbers(field, rows);
      return values.length === 0 ? undefined : Math.max(...values);
    },
  ],
  // "The value of fieldName that sorts first" and "last in the queried logs".
  ["sortsFirst", (field, rows) => present(field, rows).sort(inOrder).at(0)],
  ["sortsLast", (field, rows) => present(field, rows).sort(inOrder).at(-1)],
  // "The value of fieldName from the log event that has the latest timestamp in the queried logs".
  [
    "latest",
    (field, rows) => {
      if (rows.some((row) => row.get(field) === undefined))
        throw new InsightsError(`latest(${field}) where not every event has it: CloudWatch does not say.`);
      return rows.reduce((one, other) => (timestampOf(other) >= timestampOf(one) ? other : one)).get(field);
    },
  ],
]);

function present(field: string, rows: readonly Row[]): Value[] {
  return rows.map((row) => row.get(field)).filter((value) => value !== undefined);
}

function numbers(field: string, rows: readonly Row[]): number[] {
  return present(field, rows).map((value) => {
    if (typeof value !== "number") throw new InsightsError(`${field} is no number.`);
    return value;
  });
}

const timestampOf = (row: Row) => Number(row.get("@timestamp"));
