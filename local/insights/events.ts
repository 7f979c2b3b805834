/** The functions' records as log events with the fields that CloudWatch Logs Insights discovers in them. */
import type { Row, Value } from "./values.ts";

/**
 * "Nested JSON fields use the dot notation", arrays a number: `caller.arn`, `patterns.0`; and no more than this many.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html#CWL_AnalyzeLogData-discoverable-JSON-logs
 */
export const mostFields = 200;

/** One line is one event. Its timestamp, epoch milliseconds, is when it was written. */
export function eventOf(line: string, writtenAt = endOf(line)): Row {
  const fields = flattened(objectOf(line), "").slice(0, mostFields);
  return new Map<string, Value>([...fields, ["@timestamp", new Date(writtenAt)], ["@message", line]]);
}

/** By the record itself, where only the record is there. */
function endOf(line: string): number {
  const { time, duration_ms: durationMs = 0 } = JSON.parse(line) as { time: string; duration_ms?: number };
  return Date.parse(time) + durationMs;
}

/** Of a line that is no JSON no field is discovered. */
function objectOf(line: string): object {
  try {
    return line.startsWith("{") ? JSON.parse(line) : {};
  } catch {
    return {};
  }
}

function flattened(value: unknown, path: string): [string, Value][] {
  if (typeof value !== "object" || value === null) return [[path, value as Value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path === "" ? key : `${path}.${key}`),
  );
}
