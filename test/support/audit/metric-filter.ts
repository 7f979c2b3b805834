/**
 * The metrics that CloudWatch Logs makes of log lines by an `AWS::Logs::MetricFilter`.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
import type { Datum } from "./embedded-metric-format.ts";
import { matchesFilterPattern, selectorsOf } from "./filter-pattern.ts";

export interface MetricFilterProperties {
  readonly FilterPattern: string;
  readonly MetricTransformations: readonly MetricTransformation[];
}

interface MetricTransformation {
  readonly MetricNamespace: string;
  readonly MetricName: string;
  readonly MetricValue: string;
  readonly DefaultValue?: number;
  readonly Dimensions?: readonly { readonly Key: string; readonly Value: string }[];
}

export interface LogEvent {
  readonly message: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** @throws where AWS would refuse the filter, or where a property is not known here. */
export function filteredMetrics(filter: MetricFilterProperties, events: readonly LogEvent[]): Datum[] {
  const { FilterPattern, MetricTransformations } = filter;
  const matching = events.filter(({ message }) => matchesFilterPattern(FilterPattern, message));
  return MetricTransformations.flatMap((transformation) => {
    mustBeAllowed(transformation, FilterPattern);
    return matching.map(({ message, at }) => datumOf(transformation, JSON.parse(message), at));
  });
}

function mustBeAllowed(transformation: MetricTransformation, pattern: string): void {
  const { MetricNamespace, MetricValue, DefaultValue, Dimensions = [] } = transformation;
  if (pattern.length > 1_024) throw new Error("a pattern of over 1,024 characters");
  if (MetricNamespace.startsWith("AWS/")) throw new Error("a namespace of AWS's own");
  if (!/^\d+$/.test(MetricValue)) throw new Error(`the value ${MetricValue} is not supported here`);
  if (Dimensions.length > 3) throw new Error("over three dimensions");
  if (Dimensions.length > 0 && DefaultValue !== undefined) throw new Error("dimensions and a default value");
  for (const { Value } of Dimensions)
    if (!selectorsOf(pattern).includes(Value)) throw new Error(`the pattern does not name ${Value}`);
}

function datumOf(
  { MetricNamespace, MetricName, MetricValue, Dimensions = [] }: MetricTransformation,
  line: Record<string, unknown>,
  at: number,
): Datum {
  const dimensions = Object.fromEntries(
    Dimensions.map(({ Key, Value }) => [Key, String(line[Value.slice("$.".length)])]),
  );
  return { namespace: MetricNamespace, name: MetricName, value: Number(MetricValue), at, dimensions };
}
