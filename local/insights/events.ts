/** The functions' records as log events with the fields that CloudWatch Logs Insights discovers in them. */
import type { Row, Value } from "./values.ts";

/**
 * "Nested JSON fields use the dot notation", arrays a number: `caller.arn`, `patterns.0`; and no more than this many.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html#CWL_AnalyzeLogData-discoverable-JSON-logs
 */
export const mostFields = 200;

/** One line is one event; its timestamp is when it was written. */
export function eventOf(line: string): Row {
  const record = JSON.parse(line) as { time: string; duration_ms?: number };
  const fields = flattened(record, "").slice(0, mostFields);
  const writtenAt = Date.parse(record.time) + (record.duration_ms ?? 0);
  return new Map<string, Value>([...fields, ["@timestamp", new Date(writtenAt)], ["@message", line]]);
}

function flattened(value: unknown, path: string): [string, Value][] {
  if (typeof value !== "object" || value === null) return [[path, value as Value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path === "" ? key : `${path}.${key}`),
  );
}
