/**
 * The lines of the audit log: records, and their metrics as members of the same line. The fields are an allow-list by type;
 * docs/reference/audit-record.schema.json describes them to readers.
 */
import { type MetricName, metricDimensions, metricNames, metricNamespace } from "../contract.ts";
import type { ProblemCode } from "../domain/problem.ts";
import type { AuditFields, CheckedScope, LeaseEnd, MintedToken, RotationNote } from "../use-cases/record.ts";
import type { Spent } from "../use-cases/timings.ts";

export interface AuditRecord
  extends Omit<AuditFields, "mints" | "lease_ends" | "account_checks" | "rotations" | Instant>,
    Spent {
  /** ISO 8601, when the request arrived. */
  time: string;
  kind: "audit";
  /** Which broker of the account and region. */
  broker: string;
  request_id: string;
  /** A hint and no evidence: API Gateway keeps the caller's own trace id. */
  unverified_trace_id?: string;
  /** On a second record of the same request: its work after the answer. */
  late?: true;
  verb: string;
  /** As asked for; "?" where no scope could have that name. */
  scope?: string;
  caller?: { account: string; unique_id: string; arn: string; session_name?: string };
  source_ip?: string;
  source_vpce?: string;
  code: string;
  /** Of the HTTP answer. Sweeps and late records have none. */
  status?: number;
  duration_ms: number;
  /** Name of an unexpected error and where it was thrown; never its message. */
  error?: string;
  error_at?: string;
  /** ISO 8601. */
  lease_ends_at?: string;
  token_ends_at?: string;
  issued_before?: string;
}

type Instant = "lease_ends_at" | "token_ends_at" | "issued_before_at";

/** As written: the record, with its metrics in CloudWatch's embedded metric format. */
export type AuditLine = AuditRecord & EmbeddedMetrics;

export interface MintLine extends Omit<MintedToken, "token_ends_at"> {
  /** ISO 8601, at the end of the request. */
  time: string;
  kind: "mint";
  broker: string;
  /** Of the request with the login. Its audit record names the caller. */
  request_id: string;
  verb: string;
  /** ISO 8601. */
  token_ends_at?: string;
}

export interface LeaseEndLine extends LeaseEnd {
  /** ISO 8601, when Looker's confirmation was recorded. */
  time: string;
  kind: "lease_end";
  broker: string;
  /** Of the request, or the sweep, that ended it: its audit record says who and why. */
  request_id: string;
  verb: string;
}

export interface AccountCheckLine extends CheckedScope {
  /** ISO 8601, at the end of the run. */
  time: string;
  kind: "account_check";
  broker: string;
  /** Of the run with the check. */
  request_id: string;
  verb: string;
}

export interface RotationLine extends RotationNote {
  /** ISO 8601, at the end of the invocation. */
  time: string;
  kind: "rotation";
  broker: string;
  request_id: string;
  verb: string;
}

export type LogLine = AuditLine | MintLine | LeaseEndLine | AccountCheckLine | RotationLine;

export type EmbeddedMetrics = { readonly [name in MetricName]?: number } & {
  readonly _aws: {
    /** Epoch milliseconds. */
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly MetricDirective[];
  };
};

interface MetricDirective {
  readonly Namespace: string;
  /** Sets of names of the line's own members. */
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: MetricName; readonly Unit: "Count" | "Milliseconds" }[];
}

type Values = { readonly [name in MetricName]?: number | undefined };

/**
 * A record's metrics in CloudWatch's embedded metric format. CloudWatch Logs makes metrics from these members as it takes the
 * line in: no call, no buffer, nothing to flush.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics(record: AuditRecord, timestamp: number): EmbeddedMetrics {
  const { broker, code, verb } = metricDimensions;
  const groups: [dimensions: string[], Values][] = record.late
    ? // The answer, and how long it took, were counted with it.
      [[[broker], { ...eventMetrics(record), [metricNames.lateRecords]: 1 }]]
    : [
        [
          [broker],
          {
            ...tokenMetrics(record),
            ...sweepMetrics(record),
            ...checkMetrics(record),
            ...retirementMetrics(record),
            ...dependencyMetrics(record),
            ...eventMetrics(record),
          },
        ],
        [[broker, verb], { [metricNames.latency]: record.duration_ms }],
        [[broker, code], { [metricNames.failures]: record.code === "ok" ? undefined : 1 }],
      ];
  const directives: MetricDirective[] = [];
  const values: Record<string, number> = {};
  for (const [dimensions, group] of groups) {
    const known = Object.entries(group).filter(
      (entry): entry is [MetricName, number] => entry[1] !== undefined,
    );
    if (known.length === 0) continue;
    Object.assign(values, Object.fromEntries(known));
    directives.push({
      Namespace: metricNamespace,
      Dimensions: [dimensions],
      Metrics: known.map(([name]) => ({ Name: name, Unit: unitOf(name) })),
    });
  }
  return { ...values, _aws: { Timestamp: timestamp, CloudWatchMetrics: directives } };
}

const unitOf = (name: MetricName) => (/(?:Latency|Lag|Age)$/.test(name) ? "Milliseconds" : "Count");

function tokenMetrics({ outcome }: AuditRecord): Values {
  const one = (is: boolean) => (is ? 1 : undefined);
  return {
    [metricNames.hits]: one(outcome === "hit"),
    [metricNames.mints]: one(outcome === "minted"),
    [metricNames.waits]: one(outcome === "waited"),
  };
}

/** Zeros too: an alarm ends by them. */
function sweepMetrics({ outcome, pending, oldest_pending_ms, sweep_lag_ms }: AuditRecord): Values {
  if (outcome !== "swept") return {};
  return {
    [metricNames.sweeps]: 1,
    [metricNames.pendingLogouts]: pending,
    [metricNames.oldestPendingLogoutAge]: oldest_pending_ms,
    [metricNames.sweepLag]: sweep_lag_ms,
  };
}

/** Zeros too: an alarm ends by them. */
const checkMetrics = ({ account_findings, account_checks_failed }: AuditRecord): Values => ({
  [metricNames.accountFindings]: account_findings,
  [metricNames.accountChecksFailed]: account_checks_failed,
});

/** Zeros too. */
function retirementMetrics({ outcome, overdue, unretired }: AuditRecord): Values {
  if (outcome !== "retired") return {};
  return { [metricNames.rotationOverdue]: overdue, [metricNames.unretiredPairs]: unretired };
}

function dependencyMetrics({ looker_ms, dynamodb_ms, kms_ms, secretsmanager_ms }: AuditRecord): Values {
  return {
    [metricNames.lookerLatency]: looker_ms,
    [metricNames.dynamodbLatency]: dynamodb_ms,
    [metricNames.kmsLatency]: kms_ms,
    [metricNames.secretsManagerLatency]: secretsmanager_ms,
  };
}

function eventMetrics(record: AuditRecord): Values {
  // A failed refresh counts too, although a live lease still serves its caller.
  const metWith = (failure: ProblemCode) =>
    record.code === failure || record.mint_failure === failure ? 1 : undefined;
  return {
    [metricNames.rejectedCredentials]: metWith("looker_rejected_credentials"),
    [metricNames.lookerUnavailable]: metWith("looker_unavailable"),
    [metricNames.loginAttempts]: record.login_attempts,
    [metricNames.confirmedLogouts]: record.logouts,
    [metricNames.expiredUnconfirmed]: record.expired,
    [metricNames.possibleOrphans]: record.possible_orphans,
    [metricNames.lockOutsAvoided]: record.lockouts_avoided,
    [metricNames.budgetRefusals]: record.code === "too_many_mints" ? 1 : undefined,
    [metricNames.unreadableRows]: record.unreadable,
    [metricNames.rotationFailures]: record.rotation_failures,
  };
}
