/** Runs a query over events: command by command, as the pipe has it. Pure. */
import { aggregateFunctions } from "./aggregates.ts";
import { functions, type Moment } from "./functions.ts";
import { groupsOf } from "./parse.ts";
import { type Command, type Expression, InsightsError, type Query } from "./syntax.ts";
import { compares, inOrder, type Row, type Value } from "./values.ts";

export interface Result {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** "If you omit limit, the query defaults to returning up to 10,000 log events": https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html */
const mostRows = 10_000;

export function runQuery(query: Query, events: readonly Row[], startedAt: number): Result {
  const rows = query.reduce<readonly Row[]>((seen, command) => apply(command, seen, startedAt), events);
  return { columns: columnsOf(query), rows: rows.slice(0, mostRows) };
}

/** Of the last `display`; else of `stats`, the groups first. */
function columnsOf(query: Query): string[] {
  const shows = query.findLast((command) => command.kind === "display" || command.kind === "stats");
  if (shows?.kind === "display") return [...shows.names];
  if (shows?.kind === "stats") return [...shows.by, ...shows.aggregates.map(({ as }) => as)];
  throw new InsightsError("A query must say what it shows: by stats or by display.");
}

function apply(command: Command, rows: readonly Row[], startedAt: number): readonly Row[] {
  switch (command.kind) {
    case "filter":
      return rows.filter((row) => holds(command.condition, { row, startedAt }));
    case "fields":
      return rows.map((row) => withValues(row, [[command.as, evaluate(command.value, { row, startedAt })]]));
    case "parse":
      return rows.map((row) => withValues(row, parsed(command.pattern, row.get(command.field))));
    case "stats":
      return [...Map.groupBy(rows, (row) => groupKey(row, command.by)).values()].map(
        (group) =>
          new Map<string, Value>([
            ...command.by.map((field): [string, Value] => [field, group[0]?.get(field)]),
            ...command.aggregates.map((aggregate): [string, Value] => [
              aggregate.as,
              aggregateFunctions.get(aggregate.function)?.(aggregate.field, group),
            ]),
          ]),
      );
    case "sort": {
      const sorted = rows.toSorted((a, b) => inOrder(a.get(command.field), b.get(command.field)));
      return command.descending ? sorted.reverse() : sorted;
    }
    case "limit":
      return rows.slice(0, command.rows);
    case "display":
      return rows;
  }
}

const withValues = (row: Row, values: readonly [string, Value][]): Row => new Map([...row, ...values]);

/** What a pattern does not match has none of its fields. */
function parsed(pattern: RegExp, text: Value): [string, Value][] {
  const groups = typeof text === "string" ? pattern.exec(text)?.groups : undefined;
  return groupsOf(pattern).map((name) => [name, groups?.[name]]);
}

function groupKey(row: Row, by: readonly string[]): string {
  return JSON.stringify(by.map((field) => row.get(field) ?? null));
}

function holds(condition: Expression, moment: Moment): boolean {
  const value = evaluate(condition, moment);
  if (typeof value !== "boolean") throw new InsightsError("A condition must be true or false.");
  return value;
}

function evaluate(expression: Expression, moment: Moment): Value {
  switch (expression.kind) {
    case "field":
      return moment.row.get(expression.name);
    case "literal":
      return expression.value;
    case "period":
      return expression.length;
    case "call":
      return functions.get(expression.function)?.(
        expression.args.map((arg) => evaluate(arg, moment)),
        moment,
      );
    case "compare":
      return compares(
        evaluate(expression.left, moment),
        expression.operator,
        evaluate(expression.right, moment),
      );
    case "in": {
      const value = evaluate(expression.value, moment);
      return expression.list.some((one) => compares(value, "=", one));
    }
    case "like": {
      const value = evaluate(expression.value, moment);
      return typeof value === "string" && expression.pattern.test(value);
    }
    case "product": {
      const [left, right] = [evaluate(expression.left, moment), evaluate(expression.right, moment)];
      if (typeof left !== "number" || typeof right !== "number") throw new InsightsError("* is for numbers.");
      return left * right;
    }
    case "and":
      return holds(expression.left, moment) && holds(expression.right, moment);
    case "or":
      return holds(expression.left, moment) || holds(expression.right, moment);
  }
}
