/**
 * The alarms. Each description gives the event, the next step and the runbook's entry.
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
import type { BrokerFunction, BrokerFunctions, FunctionKey, OptionalFunctionKey } from "./broker-function.ts";
import type { BrokerMetrics } from "./broker-metrics.ts";
import type { AlarmThresholds } from "./settings.ts";

export interface AlarmOptions {
  readonly thresholds: Required<AlarmThresholds>;
  readonly runbookUrl: string;
  readonly topic?: ITopic;
}

const names: Readonly<Record<FunctionKey | OptionalFunctionKey, string>> = {
  issueToken: "issue-token",
  logout: "logout",
  operate: "operate",
  sweep: "sweep",
  checkAccount: "check-account",
  rotateSecret: "rotate-secret",
};

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
  | "gatewayThrottles"
  | `${FunctionKey}Errors`
  | `${FunctionKey}Throttles`;

/** Of a broker that checks accounts, or with a secret that rotates. */
export type OptionalAlarmName =
  | "accountFindings"
  | "accountChecksFailed"
  | "rotationFailures"
  | "rotationOverdue"
  | "unretiredPairs"
  | `${OptionalFunctionKey}Errors`
  | `${OptionalFunctionKey}Throttles`;

export type BrokerAlarms = Readonly<Record<AlarmName, Alarm>> & {
  readonly [Name in OptionalAlarmName]?: Alarm;
};

/** The alarm goes off when the metric is above it, or below. */
type Bound = { readonly above: number } | { readonly below: number };

type Definition = Bound & {
  readonly metric: Metric;
  /** So many periods in a row. @default 1 */
  readonly periods?: number;
  /** So many of these suffice, in any order. @default - all of them */
  readonly datapoints?: number;
  /** @default - no data is good news: most metrics are only there when something happens */
  readonly missing?: TreatMissingData;
  /** What has happened. */
  readonly meaning: string;
  /** What to do now. */
  readonly action: string;
  /** The entry in the runbook. */
  readonly anchor: string;
};

export function brokerAlarms(
  metrics: BrokerMetrics,
  functions: BrokerFunctions,
  { thresholds, runbookUrl, topic }: AlarmOptions,
): BrokerAlarms {
  const parent = new Construct(metrics, "Alarms");
  const make = ([name, definition]: [string, Definition]): [string, Alarm] => {
    const { metric, periods = 1, datapoints, missing, meaning, action, anchor } = definition;
    const alarm = new Alarm(
      parent,
      name.replace(/^./, (first) => first.toUpperCase()),
      {
        alarmDescription: `What: ${meaning} Do: ${action} Runbook: ${runbookUrl}#${anchor}`,
        metric,
        ...comparison(definition),
        evaluationPeriods: periods,
        ...(datapoints && { datapointsToAlarm: datapoints }),
        treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
      },
    );
    if (topic) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return [name, alarm];
  };
  const alarms = Object.fromEntries(
    Object.entries(definitions(metrics, functions, thresholds)).map(make),
  ) as BrokerAlarms;
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
  metrics: BrokerMetrics,
  functions: BrokerFunctions,
  thresholds: Required<AlarmThresholds>,
): Record<string, Definition> {
  const { mintsPerFiveMinutes, p99Milliseconds, deniedCallsPerFiveMinutes } = thresholds;
  return {
    rejectedCredentials: {
      metric: metrics.metricRejectedCredentials(),
      above: 0,
      meaning:
        "Looker refuses the client id and secret of a scope, or an operator has denied that client id: its callers get no new tokens. Leases that are still good are served until they end.",
      action:
        "Find the scope in the audit records with code or mint_failure looker_rejected_credentials, and store a pair that works in its secret. It is read within 20 seconds.",
      anchor: "rejected-credentials",
    },
    lookerUnavailable: {
      // Failed refreshes count too: the alarm comes before the first caller is without a token.
      metric: metrics.metricLookerUnavailable(),
      // One failed login is answered by the client's next try.
      above: 2,
      meaning:
        "Looker does not answer logins, or asks for fewer: callers get no token once their lease has ended.",
      action:
        "See whether Looker is down, and reason in the audit records with code or mint_failure looker_unavailable. Leases that are still good are served meanwhile.",
      anchor: "looker-unavailable",
    },
    oldestPendingLogout: {
      // A sweep reports the tokens that it tried, with their age at the next try: the alarm need not wait for that try. The
      // longest back-off is five minutes, so each pending token is tried within ten.
      metric: metrics.metricOldestPendingLogoutAge({ period: Duration.minutes(10) }),
      above: fiveMinutes.toMilliseconds(),
      meaning:
        "Looker does not confirm the logout of a token, and the next try comes more than five minutes after the first. Until then the token may still work.",
      action:
        "If it was revoked because it leaked, end it in Looker itself. Otherwise see whether Looker answers; the sweeper tries again by itself.",
      anchor: "pending-logouts",
    },
    sweepLag: {
      metric: metrics.metricSweepLag(),
      above: fiveMinutes.toMilliseconds(),
      // The first sweep after a pause is late once.
      periods: 2,
      meaning:
        "The sweeper comes to what is due more than five minutes late: ended and revoked tokens live that much longer.",
      action:
        "See in the audit records with verb sweep whether rows fail (reason, unreadable) or time runs out (duration_ms, looker_ms).",
      anchor: "sweeper-stopped",
    },
    possibleOrphans: {
      metric: metrics.metricPossibleOrphans(),
      above: 0,
      meaning:
        "A login was cut off. Perhaps a token exists at Looker that nobody holds or can log out; it ends within the hour.",
      action:
        "After one crash or time-out, nothing. If it goes on, see what happened before the audit records with possible_orphans: errors of the functions, or a slow Looker.",
      anchor: "possible-orphans",
    },
    sweeperStopped: {
      // Minutes, since a real datapoint goes before a missing one: of five minutes each, the last good one would hide the
      // silence for longer. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
      metric: metrics.metricSweeps({ period: Duration.minutes(1) }),
      below: 1,
      periods: 5,
      missing: TreatMissingData.BREACHING,
      meaning: "No sweep has come to its end for five minutes: ended and revoked tokens stay alive.",
      action:
        "See whether the schedule is enabled, and what the sweeper's log group says. Invoke the function by hand meanwhile: it is safe at any time.",
      anchor: "sweeper-stopped",
    },
    mintRate: {
      // Failed logins count too: they cost Looker as much, and lead to its lock-out.
      metric: metrics.metricLoginAttempts(),
      above: mintsPerFiveMinutes,
      meaning: `Looker was asked for over ${mintsPerFiveMinutes} tokens in five minutes, failed logins included.`,
      action:
        "Find who has most of the login_attempts in the audit records. If they fail, see why (reason). If a caller logs out or reports tokens stale in a loop, lower mintsPerTenMinutes of its scope. If it takes too many sessions, lower sessionMintsPerTenMinutes. If there are more callers than there were, raise alarms.mintsPerFiveMinutes.",
      anchor: "mint-rate",
    },
    slowAnswers: {
      metric: metrics.metricVerbLatency("token"),
      above: p99Milliseconds,
      // With few requests a single slow one is their p99.
      periods: 3,
      meaning: `One token request in a hundred took over ${p99Milliseconds} ms, for a quarter of an hour.`,
      action:
        "See on the dashboard, or by looker_ms, dynamodb_ms, kms_ms, secretsmanager_ms and wait_ms in the audit records, what is slow.",
      anchor: "slow-answers",
    },
    deniedCalls: {
      metric: metrics.metricFailures("not_allowed"),
      above: deniedCallsPerFiveMinutes,
      meaning: `Over ${deniedCallsPerFiveMinutes} calls in five minutes passed IAM and were refused by the scopes' own lists.`,
      action:
        "See caller, scope, lock and patterns in the audit records with code not_allowed: a service that lost its entry, or somebody who tries doors.",
      anchor: "denied-calls",
    },
    internalErrors: {
      metric: metrics.metricFailures("internal"),
      above: 0,
      meaning: "A request or a sweep ended in an error that the broker's code does not expect.",
      action:
        "See error and error_at in the audit records with code internal. If it began with a deployment, deploy the version before it.",
      anchor: "internal-errors",
    },
    serverErrors: {
      // Whatever it is: KMS, DynamoDB or Secrets Manager away (busy), a permission that is gone, a gateway that may not invoke.
      metric: metrics.metricServerErrors(),
      above: 4,
      periods: 3,
      meaning: "Callers are answered 5xx by the broker or by API Gateway, for a quarter of an hour.",
      action:
        "See code and reason in the audit records: busy with kms_unavailable or the like is that dependency, mint_failed a permission. If there are no records, API Gateway cannot invoke the functions: see its access log.",
      anchor: "internal-errors",
    },
    editedRows: {
      metric: metrics.metricUnreadableRows(),
      above: 0,
      meaning:
        "A row of the table was edited or swapped, or written by a newer version of the broker. What it holds is not served.",
      action: "If no deployment was taken back, find out who wrote to the table: nobody but the broker may.",
      anchor: "edited-rows",
    },
    gatewayThrottles: {
      // A crowd is refused for less than a minute, so in two minutes at most. Five of ten are a lasting cause, or three crowds.
      // Any five count, because access logs come late. The number of requests does not, because API Gateway may leave many
      // 429 out of its logs: https://repost.aws/knowledge-center/api-gateway-missing-cloudwatch-logs
      metric: metrics.metricGatewayThrottles({ period: Duration.minutes(1) }),
      above: 0,
      periods: 10,
      datapoints: 5,
      meaning:
        "API Gateway refused requests with 429 in five of the last ten minutes. They were above throttle, or above the account's quota.",
      action:
        "See in the access log who sends them. If one caller fetches a token for each call, tell its owner. If there are more callers than before, raise throttle together with accountConcurrency.",
      anchor: "throttled",
    },
    ...(functions.checkAccount ? accountDefinitions(metrics) : {}),
    ...(functions.rotateSecret ? rotationDefinitions(metrics) : {}),
    ...each(functions, "Errors", (each, name) => ({
      metric: each.function.metricErrors({ statistic: Stats.SUM, period: fiveMinutes }),
      above: 0,
      meaning: `The function ${name} crashed or ran out of time.`,
      action:
        "See its log group: an error, or Task timed out. If it began with a deployment, deploy the version before it.",
      anchor: "internal-errors",
      // Secrets Manager learns of a failed step by an error of the function, and Lambda counts it like a crash.
      ...(each === functions.rotateSecret && {
        meaning:
          "A step of a secret's rotation failed, or the function rotate-secret crashed or ran out of time.",
        action:
          "See reason in the records of kind rotation. If no record says failed, see the function's log group: an error, or Task timed out.",
        anchor: "rotation-failed",
      }),
    })),
    ...each(functions, "Throttles", (each, name) => ({
      metric: each.function.metricThrottles({ statistic: Stats.SUM, period: fiveMinutes }),
      above: 0,
      meaning: `Lambda refused to run the function ${name}: the concurrency that it may use is used up.`,
      action: "See what uses up the account's concurrency. Ask AWS for more, or set reservedConcurrency.",
      anchor: "throttled",
    })),
  };
}

/** An hourly run reports each time, a good result too. Until the next one the alarm stays as it is. */
const hourly = { statistic: Stats.MAXIMUM, period: Duration.hours(1) };

const accountDefinitions = (
  metrics: BrokerMetrics,
): Record<"accountFindings" | "accountChecksFailed", Definition> => ({
  accountFindings: {
    metric: metrics.metricAccountFindings(hourly),
    above: 0,
    missing: TreatMissingData.IGNORE,
    meaning:
      "A scope's service account may do more at Looker than it should, or its pair is old or disabled.",
    action:
      "Find the scope and its findings by looker-token account, or in the records of kind account_check. Correct the account in Looker, or accept the finding in the scope's account.accept.",
    anchor: "account-findings",
  },
  accountChecksFailed: {
    metric: metrics.metricAccountChecksFailed(hourly),
    above: 0,
    // A failed check is tried again after an hour, so one bad hour of Looker wakes nobody.
    periods: 3,
    missing: TreatMissingData.IGNORE,
    meaning: "The service account of a scope could not be checked for three hours.",
    action:
      "See reason in the records of kind account_check: Looker away, a secret that it refuses, or an account that may not ask about itself.",
    anchor: "account-check-failed",
  },
});

const rotationDefinitions = (
  metrics: BrokerMetrics,
): Record<"rotationFailures" | "rotationOverdue" | "unretiredPairs", Definition> => ({
  rotationFailures: {
    metric: metrics.metricRotationFailures(),
    above: 0,
    meaning: "A step of a secret's rotation failed. The pair that is in use still works.",
    action:
      "See secret, step and reason in the records of kind rotation. Secrets Manager starts the step again by itself. After the cause is gone, start the rotation by hand.",
    anchor: "rotation-failed",
  },
  rotationOverdue: {
    metric: metrics.metricRotationOverdue(),
    above: 0,
    meaning: "Secrets Manager should have rotated a secret by now, and has not.",
    action:
      "See LastRotatedDate and NextRotationDate of the secret, whether its rotation is switched on, and reason in the records of kind rotation.",
    anchor: "rotation-overdue",
  },
  unretiredPairs: {
    metric: metrics.metricUnretiredPairs(),
    above: 0,
    meaning: "A pair that a rotation has replaced is still at Looker, and should be gone by now.",
    action:
      "See client_id and reason in the records of kind rotation. Delete the pair in Looker if nothing else uses it.",
    anchor: "pair-not-retired",
  },
});

/**
 * An alarm for each function, rather than one for the sum of all: a sum would need a value of each in every period, and
 * a function that nobody calls has none.
 */
const each = (
  functions: BrokerFunctions,
  kind: "Errors" | "Throttles",
  define: (each: BrokerFunction, name: string) => Definition,
): Record<string, Definition> =>
  Object.fromEntries(
    Object.entries(functions).map(([key, each]) => [
      `${key}${kind}`,
      define(each, names[key as keyof typeof names]),
    ]),
  );
