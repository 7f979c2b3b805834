/**
 * What wakes somebody. Each alarm's description says what has happened, what to do, and where the runbook has more.
 *
 * CloudWatch Logs makes the broker's metrics from its log lines, which takes a moment, and evaluates an alarm every
 * minute over the period that has just passed. With five minutes a line that comes late still counts:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Alarms.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  type CfnAlarm,
  ComparisonOperator,
  type Metric,
  Stats,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { TokenBroker } from "./token-broker.ts";

/** From which value on an alarm tells: what depends on how a broker is used. */
export interface AlarmThresholds {
  /**
   * Logins in five minutes. A caller needs one for each lease, which is renewed after about four fifths of its
   * time: 300 are some 700 callers with leases of 15 minutes.
   * @default 300
   */
  readonly mintsPerFiveMinutes?: number;

  /**
   * What one token request in a hundred may take, in milliseconds: a login of Looker's, and the cold start before it.
   * @default 3000
   */
  readonly p99Milliseconds?: number;

  /**
   * Calls in five minutes that IAM let in and the scopes' lists refused. Those that IAM refuses never reach the
   * broker; the access logs have them.
   * @default 20
   */
  readonly deniedCallsPerFiveMinutes?: number;
}

export const defaultThresholds = {
  mintsPerFiveMinutes: 300,
  p99Milliseconds: 3_000,
  deniedCallsPerFiveMinutes: 20,
} as const satisfies Required<AlarmThresholds>;

export interface AlarmOptions {
  readonly thresholds: Required<AlarmThresholds>;
  readonly runbookUrl: string;
  readonly topic?: ITopic;
}

const functions = {
  issueToken: "issue-token",
  logout: "logout",
  operate: "operate",
  sweep: "sweep",
} as const;
type FunctionKey = keyof typeof functions;

export type AlarmName =
  | "rejectedCredentials"
  | "lookerUnavailable"
  | "oldestPendingLogout"
  | "sweepLag"
  | "possibleOrphans"
  | "sweeperStopped"
  | "mintRate"
  | "slowAnswers"
  | "deniedCalls"
  | "internalErrors"
  | "serverErrors"
  | "editedRows"
  | `${FunctionKey}Errors`
  | `${FunctionKey}Throttles`;

/** The alarm goes off when the metric is above it, or below. */
type Bound = { readonly above: number } | { readonly below: number };

type Definition = Bound & {
  readonly metric: Metric;
  /** So many periods in a row. @default 1 */
  readonly periods?: number;
  /** @default - no data is good news: most metrics are only there when something happens */
  readonly missing?: TreatMissingData;
  readonly what: string;
  readonly todo: string;
  /** The entry in the runbook. */
  readonly anchor: string;
};

export function brokerAlarms(
  broker: TokenBroker,
  { thresholds, runbookUrl, topic }: AlarmOptions,
): Record<AlarmName, Alarm> {
  const parent = new Construct(broker, "Alarms");
  const make = ([name, definition]: [string, Definition]): [string, Alarm] => {
    const { metric, periods = 1, missing, what, todo, anchor } = definition;
    const alarm = new Alarm(
      parent,
      name.replace(/^./, (first) => first.toUpperCase()),
      {
        alarmDescription: `What: ${what} Do: ${todo} Runbook: ${runbookUrl}#${anchor}`,
        metric,
        ...comparison(definition),
        evaluationPeriods: periods,
        treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
      },
    );
    if (topic) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return [name, alarm];
  };
  const alarms = Object.fromEntries(Object.entries(definitions(broker, thresholds)).map(make)) as Record<
    AlarmName,
    Alarm
  >;
  // A new broker's first sweeps are under way when its alarms are made: nobody is to be woken by that.
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html
  const sweeperStopped = alarms.sweeperStopped.node.defaultChild as CfnAlarm;
  sweeperStopped.warmUpConfiguration = { warmUpPeriodDurationInMinutes: 10 };
  return alarms;
}

const comparison = (bound: Bound) =>
  "above" in bound
    ? { threshold: bound.above, comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD }
    : { threshold: bound.below, comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD };

const fiveMinutes = Duration.minutes(5);

function definitions(
  broker: TokenBroker,
  thresholds: Required<AlarmThresholds>,
): Record<AlarmName, Definition> {
  const { mintsPerFiveMinutes, p99Milliseconds, deniedCallsPerFiveMinutes } = thresholds;
  return {
    rejectedCredentials: {
      metric: broker.metricRejectedCredentials(),
      above: 0,
      what: "Looker refuses the client id and secret of a scope, or an operator has denied that client id: its callers get no new tokens. Leases that are still good are served until they end.",
      todo: "Find the scope in the audit records with code or mint_failure looker_rejected_credentials, and store a pair that works in its secret. It is read within 20 seconds.",
      anchor: "rejected-credentials",
    },
    lookerUnavailable: {
      metric: broker.metricFailures("looker_unavailable"),
      // One failed login is answered by the client's next try.
      above: 2,
      what: "Looker does not answer logins, or asks for fewer: callers whose lease has ended get no token.",
      todo: "See whether Looker is down, and reason in the audit records with code looker_unavailable. Leases that are still good are served meanwhile.",
      anchor: "looker-unavailable",
    },
    oldestPendingLogout: {
      // Each sweep tells, but of a token in back-off only the one in five minutes that tries it again.
      metric: broker.metricOldestPendingLogoutAge({ period: Duration.minutes(10) }),
      above: fiveMinutes.toMilliseconds(),
      what: "Looker has not confirmed the logout of a token for over five minutes: it may still work for whoever has it.",
      todo: "If it was revoked because it leaked, end it in Looker itself. Otherwise see whether Looker answers; the sweeper tries again by itself.",
      anchor: "pending-logouts",
    },
    sweepLag: {
      metric: broker.metricSweepLag(),
      above: fiveMinutes.toMilliseconds(),
      // The first sweep after a pause is late once.
      periods: 2,
      what: "The sweeper comes to what is due more than five minutes late: ended and revoked tokens live that much longer.",
      todo: "See in the audit records with verb sweep whether rows fail (reason, unreadable) or time runs out (duration_ms, looker_ms).",
      anchor: "sweeper-stopped",
    },
    possibleOrphans: {
      metric: broker.metricPossibleOrphans(),
      above: 0,
      what: "A login was cut off. Perhaps a token exists at Looker that nobody holds or can log out; it ends within the hour.",
      todo: "After one crash or time-out, nothing. If it goes on, see what happened before the audit records with possible_orphans: errors of the functions, or a slow Looker.",
      anchor: "possible-orphans",
    },
    sweeperStopped: {
      // Minutes, since a real datapoint goes before a missing one: of five minutes each, the last good one would hide the
      // silence for longer. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
      metric: broker.metricSweeps({ period: Duration.minutes(1) }),
      below: 1,
      periods: 5,
      missing: TreatMissingData.BREACHING,
      what: "No sweep has come to its end for five minutes: ended and revoked tokens stay alive.",
      todo: "See whether the schedule is enabled, and what the sweeper's log group says. Invoke the function by hand meanwhile: it is safe at any time.",
      anchor: "sweeper-stopped",
    },
    mintRate: {
      metric: broker.metricMints(),
      above: mintsPerFiveMinutes,
      what: `Looker was asked for over ${mintsPerFiveMinutes} tokens in five minutes.`,
      todo: "Find who has most of the audit records with outcome minted. If a caller logs out or reports tokens stale in a loop, lower mintsPerTenMinutes of its scope; if there are more callers than there were, raise alarms.mintsPerFiveMinutes.",
      anchor: "mint-rate",
    },
    slowAnswers: {
      metric: broker.metricVerbLatency("token"),
      above: p99Milliseconds,
      // With few requests a single slow one is their p99.
      periods: 3,
      what: `One token request in a hundred took over ${p99Milliseconds} ms, for a quarter of an hour.`,
      todo: "See on the dashboard, or by looker_ms, dynamodb_ms, kms_ms, secretsmanager_ms and wait_ms in the audit records, what is slow.",
      anchor: "slow-answers",
    },
    deniedCalls: {
      metric: broker.metricFailures("not_allowed"),
      above: deniedCallsPerFiveMinutes,
      what: `Over ${deniedCallsPerFiveMinutes} calls in five minutes passed IAM and were refused by the scopes' own lists.`,
      todo: "See caller, scope, lock and patterns in the audit records with code not_allowed: a service that lost its entry, or somebody who tries doors.",
      anchor: "denied-calls",
    },
    internalErrors: {
      metric: broker.metricFailures("internal"),
      above: 0,
      what: "A request or a sweep ended in an error that the broker's code does not expect.",
      todo: "See error and error_at in the audit records with code internal. If it began with a deployment, deploy the version before it.",
      anchor: "internal-errors",
    },
    serverErrors: {
      // Whatever it is: KMS, DynamoDB or Secrets Manager away (busy), a permission that is gone, a gateway that may not invoke.
      metric: broker.metricServerErrors(),
      above: 4,
      periods: 3,
      what: "Callers are answered 5xx by the broker or by API Gateway, for a quarter of an hour.",
      todo: "See code and reason in the audit records: busy with kms_unavailable or the like is that dependency, mint_failed a permission. If there are no records, API Gateway cannot invoke the functions: see its access log.",
      anchor: "internal-errors",
    },
    editedRows: {
      metric: broker.metricUnreadableRows(),
      above: 0,
      what: "A row of the table was edited or swapped, or written by a newer version of the broker. What it holds is not served.",
      todo: "If no deployment was taken back, find out who wrote to the table: nobody but the broker may.",
      anchor: "edited-rows",
    },
    ...each("Errors", (key, name) => ({
      metric: broker[key].function.metricErrors({ statistic: Stats.SUM, period: fiveMinutes }),
      above: 0,
      what: `The function ${name} crashed or ran out of time.`,
      todo: "See its log group: an error, or Task timed out. If it began with a deployment, deploy the version before it.",
      anchor: "internal-errors",
    })),
    ...each("Throttles", (key, name) => ({
      metric: broker[key].function.metricThrottles({ statistic: Stats.SUM, period: fiveMinutes }),
      above: 0,
      what: `Lambda refused to run the function ${name}: the concurrency that it may use is used up.`,
      todo: "See what uses up the account's concurrency. Ask AWS for more, or set reservedConcurrency.",
      anchor: "throttled",
    })),
  };
}

/**
 * An alarm for each function, rather than one for the sum of all: a sum would need a value of each in every period, and
 * a function that nobody calls has none.
 */
const each = <Kind extends "Errors" | "Throttles">(
  kind: Kind,
  define: (key: FunctionKey, name: string) => Definition,
) =>
  Object.fromEntries(
    Object.entries(functions).map(([key, name]) => [`${key}${kind}`, define(key as FunctionKey, name)]),
  ) as Record<`${FunctionKey}${Kind}`, Definition>;
