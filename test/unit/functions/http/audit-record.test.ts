import { describe, expect, it } from "vitest";
import { metricNames } from "../../../../functions/contract.ts";
import { type AuditRecord, embeddedMetrics } from "../../../../functions/http/audit-record.ts";
import { mustBeEmbeddedMetricFormat } from "../../../support/audit/embedded-metric-format.ts";

const base: AuditRecord = {
  time: "2026-11-24T13:00:00.000Z",
  kind: "audit",
  broker: "looker-token-broker/Broker",
  request_id: "11111111-2222-3333-4444-555555555555",
  verb: "token",
  scope: "sales",
  caller: {
    account: "111122223333",
    unique_id: "AROAREPORTSERVICE000",
    arn: "arn:aws:iam::111122223333:role/report-service",
  },
  source_ip: "192.0.2.10",
  code: "ok",
  status: 200,
  duration_ms: 12,
};

/** What CloudWatch would make of the line. */
const metricsOf = (changes: Partial<AuditRecord>) => {
  const record = { ...base, ...changes };
  const line = { ...record, ...embeddedMetrics(record, Date.parse(record.time)) };
  return mustBeEmbeddedMetricFormat(line).map(({ name, value, dimensions }) => {
    const { broker, ...others } = dimensions;
    expect(broker).toBe("looker-token-broker/Broker");
    return [name, value, ...Object.values(others)];
  });
};

describe("a record's metrics", () => {
  it.each<[string, Partial<AuditRecord>, unknown[]]>([
    [
      "a token from the table",
      { outcome: "hit", dynamodb_ms: 5, kms_ms: 0 },
      [
        ["Hits", 1],
        ["DynamoDBLatency", 5],
        ["KMSLatency", 0],
        ["Latency", 12, "token"],
      ],
    ],
    [
      "a token by a login",
      { outcome: "minted", looker_ms: 300, secretsmanager_ms: 20, logins: 1 },
      [
        ["Mints", 1],
        ["LookerLatency", 300],
        ["SecretsManagerLatency", 20],
        ["Latency", 12, "token"],
      ],
    ],
    [
      "a token after another's login",
      { outcome: "waited", wait_ms: 200 },
      [
        ["Waits", 1],
        ["Latency", 12, "token"],
      ],
    ],
    [
      "a refusal",
      { code: "not_allowed", status: 403, reason: "not_in_callers" },
      [
        ["Latency", 12, "token"],
        ["Failures", 1, "not_allowed"],
      ],
    ],
    [
      "a mint budget that is spent",
      { code: "too_many_mints", status: 429 },
      [
        ["BudgetRefusals", 1],
        ["Latency", 12, "token"],
        ["Failures", 1, "too_many_mints"],
      ],
    ],
    [
      "a lock-out avoided",
      { code: "looker_rejected_credentials", status: 502, lockouts_avoided: 1 },
      [
        ["RejectedCredentials", 1],
        ["LockOutsAvoided", 1],
        ["Latency", 12, "token"],
        ["Failures", 1, "looker_rejected_credentials"],
      ],
    ],
    [
      "a freeze with what it found",
      { verb: "freeze", outcome: "frozen", logouts: 7, possible_orphans: 1, unreadable: 2, pending: 3 },
      [
        ["ConfirmedLogouts", 7],
        ["PossibleOrphans", 1],
        ["UnreadableRows", 2],
        ["Latency", 12, "freeze"],
      ],
    ],
    [
      "a sweep, zeros included: an alarm ends by them",
      { verb: "sweep", outcome: "swept", pending: 0, oldest_pending_ms: 0, sweep_lag_ms: 900, expired: 1 },
      [
        ["Sweeps", 1],
        ["PendingLogouts", 0],
        ["OldestPendingLogoutAge", 0],
        ["SweepLag", 900],
        ["ExpiredUnconfirmed", 1],
        ["Latency", 12, "sweep"],
      ],
    ],
  ])("of %s", (_, changes, expected) => {
    expect(metricsOf(changes).sort()).toEqual([...expected].sort());
  });

  it("of a sweep that failed are none of a sweep that came to its end", () => {
    expect(metricsOf({ verb: "sweep", code: "internal" })).toEqual([
      ["Latency", 12, "sweep"],
      ["Failures", 1, "internal"],
    ]);
  });

  it("have no dimension that grows with callers or scopes", () => {
    const record = { ...base, outcome: "hit" as const };
    const { _aws } = embeddedMetrics(record, 0);
    const dimensions = _aws.CloudWatchMetrics.flatMap(({ Dimensions }) => Dimensions.flat());
    expect(new Set(dimensions)).toEqual(new Set(["broker", "verb"]));
  });

  it("do not take the place of a record's own field", () => {
    const fields = new Set(Object.keys(base));
    for (const name of Object.values(metricNames)) expect(fields.has(name)).toBe(false);
  });
});
