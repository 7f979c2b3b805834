/** One page that answers "how is it?": what is alarmed, who is served, what Looker and AWS take, what is still to be ended. */
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
import type { TokenBroker } from "./token-broker.ts";

/** Of the 24 columns that a dashboard has. */
const third = 8;

export function brokerDashboard(broker: TokenBroker, alarms: readonly Alarm[]): Dashboard {
  const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
    new GraphWidget({ title, left, right, width: third, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
  const functions = {
    IssueToken: broker.issueToken,
    Logout: broker.logout,
    Operate: broker.operate,
    Sweep: broker.sweep,
  };
  const ofEach = (metricOf: (each: (typeof functions)["Sweep"]["function"], label: string) => IMetric) =>
    Object.entries(functions).map(([label, each]) => metricOf(each.function, label));
  return new Dashboard(broker, "Dashboard", {
    // Sums of five minutes, however long the time that is looked at.
    periodOverride: PeriodOverride.INHERIT,
    widgets: [
      [
        new AlarmStatusWidget({
          title: `Alarms of ${broker.name}`,
          alarms: [...alarms],
          width: 24,
          height: 4,
        }),
      ],
      [
        graph("Token requests", [broker.metricHits(), broker.metricMints(), broker.metricWaits()]),
        graph("Failures by code", [failuresByCode(broker.name)]),
        graph("At the gateway", [
          broker.metricRequests({ label: "Requests" }),
          broker.metricClientErrors({ label: "4xx" }),
          broker.metricServerErrors({ label: "5xx" }),
        ]),
      ],
      [
        graph("Token requests, ms", [
          broker.metricVerbLatency("token", { label: "p99" }),
          broker.metricVerbLatency("token", { label: "p50", statistic: Stats.p(50) }),
        ]),
        graph("With a call under way, p99, ms", [
          broker.metricLookerLatency(),
          broker.metricDynamoDBLatency(),
          broker.metricKMSLatency(),
          broker.metricSecretsManagerLatency(),
        ]),
        graph("Logins rejected, and not made", [
          broker.metricRejectedCredentials(),
          broker.metricLockOutsAvoided(),
          broker.metricBudgetRefusals(),
        ]),
      ],
      [
        graph(
          "Tokens to be ended | oldest, ms",
          [broker.metricPendingLogouts()],
          [broker.metricOldestPendingLogoutAge()],
        ),
        graph("Tokens ended", [
          broker.metricConfirmedLogouts(),
          broker.metricExpiredUnconfirmed(),
          broker.metricPossibleOrphans(),
        ]),
        graph("Sweeps | lag, ms", [broker.metricSweeps()], [broker.metricSweepLag()]),
      ],
      [
        graph(
          "Crashes and time-outs",
          ofEach((each, label) => each.metricErrors({ label })),
        ),
        graph(
          "Throttles",
          ofEach((each, label) => each.metricThrottles({ label })),
        ),
        graph("Rows that were edited", [broker.metricUnreadableRows()]),
      ],
    ],
  });
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
