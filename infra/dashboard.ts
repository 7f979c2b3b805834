/** One page that answers "how is it?": alarms, served callers, times of Looker and AWS, tokens that are to be ended. */
import { Duration } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  PeriodOverride,
  SearchExpression,
  Stats,
} from "aws-cdk-lib/aws-cloudwatch";
import { metricDimensions, metricNames, metricNamespace } from "../functions/contract.ts";
import type { BrokerFunction, BrokerFunctions } from "./broker-function.ts";
import type { BrokerMetrics } from "./broker-metrics.ts";

/** Of the 24 columns that a dashboard has. */
const third = 8;

export function brokerDashboard(
  metrics: BrokerMetrics,
  functions: BrokerFunctions,
  alarms: readonly Alarm[],
): Dashboard {
  const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
    new GraphWidget({ title, left, right, width: third, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
  const ofEach = (metricOf: (each: BrokerFunction["function"], label: string) => IMetric) =>
    Object.entries(functions).map(([key, each]) =>
      metricOf(
        each.function,
        key.replace(/^./, (first) => first.toUpperCase()),
      ),
    );
  return new Dashboard(metrics, "Dashboard", {
    // Sums of five minutes, however long the time that is looked at.
    periodOverride: PeriodOverride.INHERIT,
    widgets: [
      [
        new AlarmStatusWidget({
          title: `Alarms of ${metrics.name}`,
          alarms: [...alarms],
          width: 24,
          height: 4,
        }),
      ],
      [
        graph("Token requests", [metrics.metricHits(), metrics.metricMints(), metrics.metricWaits()]),
        graph("Failures by code", [failuresByCode(metrics.name)]),
        graph("At the gateway", [
          metrics.metricRequests({ label: "Requests" }),
          metrics.metricClientErrors({ label: "4xx" }),
          metrics.metricServerErrors({ label: "5xx" }),
        ]),
      ],
      [
        graph("Token requests, ms", [
          metrics.metricVerbLatency("token", { label: "p99" }),
          metrics.metricVerbLatency("token", { label: "p50", statistic: Stats.p(50) }),
        ]),
        graph("With a call under way, p99, ms", [
          metrics.metricLookerLatency(),
          metrics.metricDynamoDBLatency(),
          metrics.metricKMSLatency(),
          metrics.metricSecretsManagerLatency(),
        ]),
        graph("Logins tried, failed, and not made", [
          metrics.metricLoginAttempts(),
          metrics.metricLookerUnavailable(),
          metrics.metricRejectedCredentials(),
          metrics.metricLockOutsAvoided(),
          metrics.metricBudgetRefusals(),
        ]),
      ],
      [
        graph(
          "Tokens to be ended | oldest at its next try, ms",
          [metrics.metricPendingLogouts()],
          [metrics.metricOldestPendingLogoutAge()],
        ),
        graph("Tokens ended", [
          metrics.metricConfirmedLogouts(),
          metrics.metricExpiredUnconfirmed(),
          metrics.metricPossibleOrphans(),
        ]),
        graph("Sweeps | lag, ms", [metrics.metricSweeps()], [metrics.metricSweepLag()]),
      ],
      [
        graph("Crashes and time-outs", [
          ...ofEach((each, label) => each.metricErrors({ label })),
          metrics.metricLateRecords(),
        ]),
        graph("Throttles", [
          metrics.metricGatewayThrottles({ label: "API Gateway" }),
          ...ofEach((each, label) => each.metricThrottles({ label })),
        ]),
        graph("Rows that were edited", [metrics.metricUnreadableRows()]),
      ],
      ...serviceAccounts(graph, metrics, functions),
    ],
  });
}

/** A row for account checks and rotation, if the broker has them. */
function serviceAccounts(
  graph: (title: string, metrics: IMetric[]) => GraphWidget,
  metrics: BrokerMetrics,
  { checkAccount, rotateSecret }: BrokerFunctions,
): GraphWidget[][] {
  const hourly = { period: Duration.hours(1) };
  const widgets = [
    ...(checkAccount
      ? [
          graph("Service accounts", [
            metrics.metricAccountFindings(hourly),
            metrics.metricAccountChecksFailed(hourly),
          ]),
        ]
      : []),
    ...(rotateSecret
      ? [
          graph("Rotation", [
            metrics.metricRotationFailures(),
            metrics.metricRotationOverdue(),
            metrics.metricUnretiredPairs(),
          ]),
        ]
      : []),
  ];
  return widgets.length === 0 ? [] : [widgets];
}

/**
 * Whatever codes there are: a search, so that nobody has to list them.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 */
const failuresByCode = (name: string) => {
  const { broker, code } = metricDimensions;
  const search = `{${metricNamespace},${broker},${code}} MetricName="${metricNames.failures}" ${broker}="${name}"`;
  return new SearchExpression({ expression: `SEARCH('${search}', 'Sum', 300)`, label: "" });
};
