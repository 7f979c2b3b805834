/** The broker's metrics, as CDK's own constructs offer theirs. What each means: functions/contract.ts. */
import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import { Metric, type MetricOptions, Stats } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { type MetricName, metricDimensions, metricNames, metricNamespace } from "../functions/contract.ts";

/** By these a metric is found again, and no others: all of them are part of its identity. */
type Dimension = { readonly [name in Exclude<keyof typeof metricDimensions, "broker">]?: string };

export abstract class BrokerMetrics extends Construct {
  /** The dimension `broker` of its metrics, and a field of its records: unique in an account and region. */
  readonly name: string;
  abstract readonly api: RestApi;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.name = this.node.path;
  }

  /** Token requests that were served from the table. @default - sum over 5 minutes */
  metricHits(props?: MetricOptions): Metric {
    return this.sum(metricNames.hits, props);
  }

  /** Token requests that were served by a login of their own. @default - sum over 5 minutes */
  metricMints(props?: MetricOptions): Metric {
    return this.sum(metricNames.mints, props);
  }

  /** Token requests that were served by another's login. @default - sum over 5 minutes */
  metricWaits(props?: MetricOptions): Metric {
    return this.sum(metricNames.waits, props);
  }

  /** Token requests that met a secret which Looker rejects, served or not. @default - sum over 5 minutes */
  metricRejectedCredentials(props?: MetricOptions): Metric {
    return this.sum(metricNames.rejectedCredentials, props);
  }

  /** Token requests with a login that Looker did not answer or put off, served or not. @default - sum over 5 minutes */
  metricLookerUnavailable(props?: MetricOptions): Metric {
    return this.sum(metricNames.lookerUnavailable, props);
  }

  /** Logins tried at Looker, including failures. @default - sum over 5 minutes */
  metricLoginAttempts(props?: MetricOptions): Metric {
    return this.sum(metricNames.loginAttempts, props);
  }

  /** Answers that are this problem (docs/reference/openapi.yaml has the codes). @default - sum over 5 minutes */
  metricFailures(code: string, props?: MetricOptions): Metric {
    return this.sum(metricNames.failures, props, { code });
  }

  /** Tokens of which Looker confirmed that they are dead. @default - sum over 5 minutes */
  metricConfirmedLogouts(props?: MetricOptions): Metric {
    return this.sum(metricNames.confirmedLogouts, props);
  }

  /** Tokens that a sweep tried to end, and could not. @default - maximum over 5 minutes */
  metricPendingLogouts(props?: MetricOptions): Metric {
    return this.maximum(metricNames.pendingLogouts, props);
  }

  /** The oldest age of such a token at its next try, in milliseconds. @default - maximum over 5 minutes */
  metricOldestPendingLogoutAge(props?: MetricOptions): Metric {
    return this.maximum(metricNames.oldestPendingLogoutAge, props);
  }

  /** How late the sweeper came to the longest due row, in milliseconds. @default - maximum over 5 minutes */
  metricSweepLag(props?: MetricOptions): Metric {
    return this.maximum(metricNames.sweepLag, props);
  }

  /** Sweeps that came to their end: one a minute. @default - sum over 5 minutes */
  metricSweeps(props?: MetricOptions): Metric {
    return this.sum(metricNames.sweeps, props);
  }

  /** Tokens that Looker ended by itself before it confirmed a logout. @default - sum over 5 minutes */
  metricExpiredUnconfirmed(props?: MetricOptions): Metric {
    return this.sum(metricNames.expiredUnconfirmed, props);
  }

  /** Tokens that perhaps exist and that nobody holds. @default - sum over 5 minutes */
  metricPossibleOrphans(props?: MetricOptions): Metric {
    return this.sum(metricNames.possibleOrphans, props);
  }

  /** Logins that were not tried, for Looker would have counted a failure. @default - sum over 5 minutes */
  metricLockOutsAvoided(props?: MetricOptions): Metric {
    return this.sum(metricNames.lockOutsAvoided, props);
  }

  /** Token requests that were refused for want of mint budget. @default - sum over 5 minutes */
  metricBudgetRefusals(props?: MetricOptions): Metric {
    return this.sum(metricNames.budgetRefusals, props);
  }

  /** Rows that were edited, swapped, or written by a newer version. @default - sum over 5 minutes */
  metricUnreadableRows(props?: MetricOptions): Metric {
    return this.sum(metricNames.unreadableRows, props);
  }

  /** Findings about the scopes' service accounts that no scope accepts. @default - maximum over 5 minutes */
  metricAccountFindings(props?: MetricOptions): Metric {
    return this.maximum(metricNames.accountFindings, props);
  }

  /** Scopes whose last account check did not work. @default - maximum over 5 minutes */
  metricAccountChecksFailed(props?: MetricOptions): Metric {
    return this.maximum(metricNames.accountChecksFailed, props);
  }

  /** Steps of a rotation that did not work. @default - sum over 5 minutes */
  metricRotationFailures(props?: MetricOptions): Metric {
    return this.sum(metricNames.rotationFailures, props);
  }

  /** Secrets whose rotation is overdue. @default - maximum over 5 minutes */
  metricRotationOverdue(props?: MetricOptions): Metric {
    return this.maximum(metricNames.rotationOverdue, props);
  }

  /** Replaced pairs that are still at Looker and should be gone. @default - maximum over 5 minutes */
  metricUnretiredPairs(props?: MetricOptions): Metric {
    return this.maximum(metricNames.unretiredPairs, props);
  }

  /** Requests and sweeps with work after their early time-out. @default - sum over 5 minutes */
  metricLateRecords(props?: MetricOptions): Metric {
    return this.sum(metricNames.lateRecords, props);
  }

  /** Requests that API Gateway refused by `throttle` or by the account's quota. @default - sum over 5 minutes */
  metricGatewayThrottles(props?: MetricOptions): Metric {
    return this.sum(metricNames.gatewayThrottles, props);
  }

  /** The function's own time for a request, in milliseconds; `verb` as in the records. @default - p99 over 5 minutes */
  metricVerbLatency(verb: string, props?: MetricOptions): Metric {
    return this.p99(metricNames.latency, props, { verb });
  }

  /** Of that, with a call to Looker under way, in milliseconds. @default - p99 over 5 minutes */
  metricLookerLatency(props?: MetricOptions): Metric {
    return this.p99(metricNames.lookerLatency, props);
  }

  /** … to DynamoDB. @default - p99 over 5 minutes */
  metricDynamoDBLatency(props?: MetricOptions): Metric {
    return this.p99(metricNames.dynamodbLatency, props);
  }

  /** … to KMS. @default - p99 over 5 minutes */
  metricKMSLatency(props?: MetricOptions): Metric {
    return this.p99(metricNames.kmsLatency, props);
  }

  /** … to Secrets Manager. @default - p99 over 5 minutes */
  metricSecretsManagerLatency(props?: MetricOptions): Metric {
    return this.p99(metricNames.secretsManagerLatency, props);
  }

  /** Requests, as API Gateway counts them. @default - sum over 5 minutes */
  metricRequests(props?: MetricOptions): Metric {
    return this.api.deploymentStage.metricCount(props);
  }

  /** Requests refused with 4xx, by IAM, a throttle or the broker. @default - sum over 5 minutes */
  metricClientErrors(props?: MetricOptions): Metric {
    return this.api.deploymentStage.metricClientError(props);
  }

  /** Requests that failed with 5xx. @default - sum over 5 minutes */
  metricServerErrors(props?: MetricOptions): Metric {
    return this.api.deploymentStage.metricServerError(props);
  }

  /** From the request's arrival at API Gateway to its answer, in milliseconds. @default - average over 5 minutes */
  metricLatency(props?: MetricOptions): Metric {
    return this.api.deploymentStage.metricLatency(props);
  }

  private sum(name: MetricName, props?: MetricOptions, dimension?: Dimension): Metric {
    return this.metric(name, { statistic: Stats.SUM, ...props }, dimension);
  }

  private maximum(name: MetricName, props?: MetricOptions): Metric {
    return this.metric(name, { statistic: Stats.MAXIMUM, ...props });
  }

  private p99(name: MetricName, props?: MetricOptions, dimension?: Dimension): Metric {
    return this.metric(name, { statistic: Stats.p(99), ...props }, dimension);
  }

  private metric(metricName: MetricName, props: MetricOptions, dimension: Dimension = {}): Metric {
    return new Metric({
      namespace: metricNamespace,
      metricName,
      ...props,
      dimensionsMap: { [metricDimensions.broker]: this.name, ...dimension },
    }).attachTo(this);
  }
}
