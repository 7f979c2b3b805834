/**
 * What state CloudWatch would give an alarm of the template, by the rules of "Alarm evaluation" and of "Configuring how
 * CloudWatch alarms treat missing data":
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
import type { Datum } from "./embedded-metric-format.ts";

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** Properties of `AWS::CloudWatch::Alarm` on one metric. */
export interface AlarmProperties {
  readonly Namespace: string;
  readonly MetricName: string;
  /** A value may refer to a resource: it then goes by that resource's logical id. */
  readonly Dimensions: readonly {
    readonly Name: string;
    readonly Value: string | { readonly Ref: string };
  }[];
  /** Seconds. */
  readonly Period: number;
  readonly Statistic?: string;
  /** Such as `p99`. */
  readonly ExtendedStatistic?: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
}

/** Properties that change nothing of the state, or that a test of a state does not get to. */
const withoutEffect = new Set([
  "AlarmDescription",
  "AlarmActions",
  "OKActions",
  "ActionsEnabled",
  "Tags",
  // Of the first minutes after the alarm was made.
  "WarmUpConfiguration",
]);
const understood = new Set([
  "Namespace",
  "MetricName",
  "Dimensions",
  "Period",
  "Statistic",
  "ExtendedStatistic",
  "EvaluationPeriods",
  "DatapointsToAlarm",
  "Threshold",
  "ComparisonOperator",
  "TreatMissingData",
]);

const minuteMs = 60_000;

/**
 * The state that an evaluation at `now` gives. It knows the minutes that are over: what the running one has brought is
 * not seen. `before` is the state until then.
 * @throws on a property that it does not understand: its state would be a guess.
 */
export function stateOf(
  alarm: AlarmProperties,
  data: readonly Datum[],
  now: number,
  before: AlarmState = "INSUFFICIENT_DATA",
): AlarmState {
  const strange = Object.keys(alarm).filter((name) => !understood.has(name) && !withoutEffect.has(name));
  if (strange.length > 0) throw new Error(`what an alarm with ${strange.join(", ")} does is not known here`);
  const own = data.filter((datum) => isOf(alarm, datum));
  // The window slides: an alarm is evaluated every minute, over the periods that end there.
  const end = Math.floor(now / minuteMs) * minuteMs;
  const periodMs = alarm.Period * 1_000;
  const values = Array.from({ length: evaluationRange(alarm) }, (_, age) => {
    const to = end - age * periodMs;
    return statisticOf(
      alarm,
      own.filter(({ at }) => at >= to - periodMs && at < to).map(({ value }) => value),
    );
  });
  const breaches = values.map((value) => (value === undefined ? undefined : isBreaching(alarm, value)));
  return judge(alarm, breaches, before);
}

/** More periods than asked for, in case some are missing. The page gives one example, 5 for 3, and no rule. */
const evaluationRange = ({ EvaluationPeriods }: AlarmProperties) => EvaluationPeriods + 2;

/** The newest first; undefined where there is no datapoint. */
function judge(
  alarm: AlarmProperties,
  breaches: readonly (boolean | undefined)[],
  before: AlarmState,
): AlarmState {
  const { EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods, TreatMissingData = "missing" } = alarm;
  const enough = (breaching: number): AlarmState => (breaching >= DatapointsToAlarm ? "ALARM" : "OK");
  const real = breaches.filter((breach) => breach !== undefined).slice(0, EvaluationPeriods);
  const breaching = real.filter(Boolean).length;
  const missing = EvaluationPeriods - real.length;
  if (missing === 0 || TreatMissingData === "notBreaching") return enough(breaching);
  if (TreatMissingData === "breaching") return enough(breaching + missing);
  if (TreatMissingData !== "missing" && TreatMissingData !== "ignore")
    throw new Error(`there is no TreatMissingData ${TreatMissingData}`);
  if (real.length === 0) return TreatMissingData === "missing" ? "INSUFFICIENT_DATA" : before;
  if (breaching < real.length || breaching >= DatapointsToAlarm) return enough(breaching);
  // "Avoiding premature transitions": breaches alone, but too few. An old one is enough; a young one may yet be followed.
  const oldest = breaches.lastIndexOf(true) + 1;
  return TreatMissingData === "missing" && oldest >= DatapointsToAlarm ? "ALARM" : before;
}

/** Namespace, name and all dimensions are what a metric is. */
function isOf({ Namespace, MetricName, Dimensions }: AlarmProperties, datum: Datum): boolean {
  return (
    datum.namespace === Namespace &&
    datum.name === MetricName &&
    Object.keys(datum.dimensions).length === Dimensions.length &&
    Dimensions.every(
      ({ Name, Value }) => datum.dimensions[Name] === (typeof Value === "string" ? Value : Value.Ref),
    )
  );
}

function statisticOf(
  { Statistic, ExtendedStatistic }: AlarmProperties,
  values: readonly number[],
): number | undefined {
  if (values.length === 0) return undefined;
  const sum = values.reduce((total, value) => total + value, 0);
  switch (Statistic) {
    case "Sum":
      return sum;
    case "Average":
      return sum / values.length;
    case "Minimum":
      return Math.min(...values);
    case "Maximum":
      return Math.max(...values);
    case "SampleCount":
      return values.length;
  }
  const percentile = Number(/^p(\d{1,2}(?:\.\d+)?|100)$/.exec(ExtendedStatistic ?? "")?.[1] ?? Number.NaN);
  if (Number.isNaN(percentile)) throw new Error(`there is no statistic ${Statistic ?? ExtendedStatistic}`);
  // The nearest rank. CloudWatch does not say how it interpolates.
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil((percentile / 100) * values.length) - 1)];
}

function isBreaching({ ComparisonOperator, Threshold }: AlarmProperties, value: number): boolean {
  switch (ComparisonOperator) {
    case "GreaterThanThreshold":
      return value > Threshold;
    case "GreaterThanOrEqualToThreshold":
      return value >= Threshold;
    case "LessThanThreshold":
      return value < Threshold;
    case "LessThanOrEqualToThreshold":
      return value <= Threshold;
  }
  throw new Error(`there is no comparison ${ComparisonOperator}`);
}
