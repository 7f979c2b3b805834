/** The functions of `filter` and `fields`. */
import { InsightsError } from "./syntax.ts";
import type { Row, Value } from "./values.ts";

export interface Moment {
  readonly row: Row;
  /** When the query began: epoch milliseconds. */
  readonly startedAt: number;
}

type Function = (args: readonly Value[], moment: Moment) => Value;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html */
export const functions: ReadonlyMap<string, Function> = new Map<string, Function>([
  // "Returns true if the field exists".
  ["ispresent", ([value]) => value !== undefined],
  // "The time that the query processing was started, in epoch seconds".
  ["now", (_, { startedAt }) => Math.floor(startedAt / 1_000)],
  // "Rounds the value of @timestamp to the given time period and then truncates".
  [
    "bin",
    ([period], { row }) => {
      const timestamp = row.get("@timestamp");
      if (typeof period !== "number" || !(timestamp instanceof Date))
        throw new InsightsError("bin() takes a period, and stands before stats.");
      return new Date(timestamp.getTime() - (timestamp.getTime() % period));
    },
  ],
  // "Parses a date string to epoch milliseconds using a Java DateTimeFormatter pattern".
  [
    "parseDate",
    ([text, format]) => {
      if (format !== "yyyy-MM-dd'T'HH:mm:ss.SSSX")
        throw new InsightsError(`parseDate() knows the records' own format only, not ${format}.`);
      if (text === undefined) return undefined;
      if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text))
        throw new InsightsError(`parseDate(): ${text} is not of that format.`);
      return Date.parse(text);
    },
  ],
]);
