/** The values that a query works on, and how they compare. */
import { type Comparison, InsightsError } from "./syntax.ts";

/** Undefined where an event lacks the field. A `Date` is what CloudWatch calls a timestamp. */
export type Value = string | number | boolean | Date | undefined;

export type Row = ReadonlyMap<string, Value>;

/**
 * "Comparison operators accept all data types"; of a missing field, and of text beside a number, the page says nothing
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html). That nothing missing is
 * equal to, less or more than anything is common ground. Whether it is unequal is not, so a query must not ask.
 */
export function compares(left: Value, operator: Comparison, right: Value): boolean {
  if (left === undefined || right === undefined) {
    if (operator === "!=")
      throw new InsightsError("!= on a field that may be missing: CloudWatch does not say.");
    return false;
  }
  if (operator === "=" || operator === "!=") {
    if (typeof left !== typeof right) throw new InsightsError(`${typeof left} ${operator} ${typeof right}.`);
    return (left === right) === (operator === "=");
  }
  // "CloudWatch Logs Insights doesn't support filtering logs with human readable timestamps": no order of texts here.
  if (typeof left !== "number" || typeof right !== "number")
    throw new InsightsError(`${operator} is for numbers, here it is for ${typeof left} and ${typeof right}.`);
  const order = { "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right };
  return order[operator];
}

/**
 * "All non-number values come before all number values"; text is compared by chunks, digits "by their length first and then by
 * their numerical value". https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
 * What is missing counts as empty text, which is the one thing here that the page does not say.
 */
export function inOrder(left: Value, right: Value): number {
  const [a, b] = [sortable(left), sortable(right)];
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? 1 : -1;
  const [mine, theirs] = [chunks(a), chunks(b)];
  for (let at = 0; at < Math.min(mine.length, theirs.length); at++) {
    const order = chunkOrder(mine[at] as string, theirs[at] as string);
    if (order !== 0) return order;
  }
  return mine.length - theirs.length;
}

function sortable(value: Value): string | number {
  if (value instanceof Date) return value.getTime();
  return typeof value === "number" ? value : String(value ?? "");
}

const chunks = (text: string) => text.match(/\d+|\D+/g) ?? [];

function chunkOrder(left: string, right: string): number {
  const digits = /^\d/.test(left) && /^\d/.test(right);
  if (digits && left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
