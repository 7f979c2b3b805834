import { readFileSync } from "node:fs";
import { Alarm } from "aws-cdk-lib/aws-cloudwatch";
import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import { metricNames, metricNamespace } from "../../../functions/contract.ts";
import { problems } from "../../../functions/domain/problem.ts";
import { type AuditRecord, embeddedMetrics } from "../../../functions/http/audit-record.ts";
import type { AlarmName, OptionalAlarmName } from "../../../infra/alarms.ts";
import type { BrokerSettings } from "../../../infra/stack.ts";
import { accessLogMetrics, loggedRequest } from "../../support/audit/access-log.ts";
import { type AlarmProperties, stateOf } from "../../support/audit/alarm-state.ts";
import { type Datum, mustBeEmbeddedMetricFormat } from "../../support/audit/embedded-metric-format.ts";
import { inMemoryApi } from "../../support/fakes/in-memory-api.ts";
import { inMemoryBroker } from "../../support/fakes/in-memory-broker.ts";
import { sweepNow } from "../../support/fakes/in-memory-operator.ts";
import {
  rotatingScopes,
  type Synthesized,
  synthesizedForFile,
  synthesizedHere,
} from "../../support/synthesized.ts";

/** What {@link faults} exceeds, whatever the defaults are. */
const thresholds = { mintsPerFiveMinutes: 300, p99Milliseconds: 3_000, deniedCallsPerFiveMinutes: 20 };

const broker = synthesizedForFile({
  scopes: rotatingScopes,
  settings: () => ({ alarms: thresholds }),
});

/** The broker's own alarms; a gradual deployment has more. */
const alarmsOf = ({ ofType }: Synthesized): [id: string, properties: Properties][] =>
  ofType("AWS::CloudWatch::Alarm")
    .filter(([id]) => id.startsWith("BrokerAlarms"))
    .map(([id, { Properties }]) => [id.slice("BrokerAlarms".length, -8), Properties]);

interface Properties extends AlarmProperties {
  readonly AlarmDescription: string;
  readonly AlarmActions?: unknown[];
  readonly OKActions?: unknown[];
}

/** As in the template: `RejectedCredentials`. */
type TemplateName = Capitalize<AlarmName | OptionalAlarmName>;

const propertiesOf = (name: TemplateName, of: Synthesized = broker) => {
  const found = alarmsOf(of).find(([id]) => id === name);
  if (!found) throw new Error(`no alarm ${name}`);
  return found[1];
};

const noon = Date.parse("2026-11-24T12:00:00.000Z");
const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** The metrics of a request or sweep that began so long before noon, by the code that emits them. */
function recorded(changes: Partial<AuditRecord>, agoMs: number): Datum[] {
  const at = noon - agoMs;
  const record: AuditRecord = {
    time: new Date(at).toISOString(),
    kind: "audit",
    broker: "looker-token-broker/Broker",
    request_id: "1",
    verb: "token",
    code: "ok",
    duration_ms: 12,
    ...changes,
  };
  return mustBeEmbeddedMetricFormat({ ...record, ...embeddedMetrics(record, at) });
}

const swept = (changes: Partial<AuditRecord> = {}): Partial<AuditRecord> => ({
  verb: "sweep",
  outcome: "swept",
  pending: 0,
  oldest_pending_ms: 0,
  sweep_lag_ms: 0,
  ...changes,
});

const times = (count: number, changes: Partial<AuditRecord>, spanMs = 4 * minuteMs) =>
  Array.from({ length: count }, (_, index) =>
    recorded(changes, Math.round(((index + 0.5) / count) * spanMs)),
  ).flat();

/** A sweep each minute, so many minutes long, the last of them just before noon. */
const sweeps = (minutes: number, changes: Partial<AuditRecord> = {}) =>
  times(minutes, swept(changes), minutes * minuteMs);

/** An hourly run of the account check, so many minutes before noon. */
const checked = (minutesAgo: number, changes: Partial<AuditRecord> = {}) =>
  recorded(
    { verb: "check", account_findings: 0, account_checks_failed: 0, ...changes },
    minutesAgo * minuteMs,
  );

/** A value of the broker's own, so many minutes before noon. */
const reported = (name: string, value: number, minutesAgo = 1): Datum => ({
  namespace: metricNamespace,
  name,
  value,
  at: noon - minutesAgo * minuteMs,
  dimensions: { broker: "looker-token-broker/Broker" },
});

/** What Lambda says of a function, which no log line holds. */
const ofLambda = (name: string, value: number, construct: string): Datum => ({
  namespace: "AWS/Lambda",
  name,
  value,
  at: noon - minuteMs,
  dimensions: { FunctionName: broker.one("AWS::Lambda::Function", `Broker${construct}Function`)[0] },
});

/** What API Gateway counts of the API and stage that the alarm names. */
const ofApi = (value: number, minutesAgo: number): Datum => ({
  namespace: "AWS/ApiGateway",
  name: "5XXError",
  value,
  at: noon - minutesAgo * minuteMs,
  dimensions: Object.fromEntries(
    propertiesOf("ServerErrors").Dimensions.map(({ Name, Value }) => [
      Name,
      typeof Value === "string" ? Value : Value.Ref,
    ]),
  ),
});

/** Two requests of each of these minutes, with an answer that no function gave. */
const refusedByApi = (status: number, responseType: string, minutesAgo: readonly number[]) =>
  accessLogMetrics(
    broker,
    minutesAgo.flatMap((minutes) =>
      [20, 40].map((seconds) => {
        const at = noon - minutes * minuteMs + seconds * secondMs;
        return loggedRequest(broker, at, { status, responseType });
      }),
    ),
  );

/** What sets each alarm off, and what nearly does. */
const faults: Record<TemplateName, { enough: () => Datum[]; notYet: () => Datum[] }> = {
  RejectedCredentials: {
    // A refresh ahead of time is the first to meet it: its caller notices nothing yet.
    enough: () => times(1, { outcome: "hit", mint_failure: "looker_rejected_credentials" }),
    notYet: () => times(9, { code: "busy" }),
  },
  LookerUnavailable: {
    // Callers who are served by the lease that is still good notice nothing yet.
    enough: () => times(3, { outcome: "hit", mint_failure: "looker_unavailable" }),
    // One request is one, though it met the failure and was refused by it.
    notYet: () => times(2, { code: "looker_unavailable", mint_failure: "looker_unavailable" }),
  },
  OldestPendingLogout: {
    // Tried again within five minutes: the sweeps between know nothing of it.
    enough: () => [...sweeps(10), ...recorded(swept({ oldest_pending_ms: 300_001 }), 9.5 * minuteMs)],
    notYet: () => sweeps(10, { oldest_pending_ms: 300_000 }),
  },
  SweepLag: {
    enough: () => sweeps(10, { sweep_lag_ms: 300_001 }),
    // The first sweep after a pause.
    notYet: () => [
      ...sweeps(4),
      ...recorded(swept({ sweep_lag_ms: 3_600_000 }), 4.5 * minuteMs),
      ...sweeps(10),
    ],
  },
  PossibleOrphans: {
    enough: () => times(1, swept({ possible_orphans: 1 })),
    notYet: () => sweeps(5),
  },
  SweeperStopped: {
    enough: () => times(5, { verb: "sweep", code: "internal" }),
    notYet: () => recorded(swept(), 4.5 * minuteMs),
  },
  MintRate: {
    // Logins that fail are logins.
    enough: () => [
      ...times(150, { outcome: "minted", login_attempts: 1 }),
      ...times(151, { login_attempts: 1 }),
    ],
    notYet: () => [
      ...times(300, { outcome: "minted", login_attempts: 1, logins: 1 }),
      ...times(300, { outcome: "hit" }),
    ],
  },
  SlowAnswers: {
    enough: () => times(30, { duration_ms: 3_001 }, 15 * minuteMs),
    // One slow one among few is a p99 too, but not three times in a row; and operators' verbs may take their time.
    notYet: () => [...times(15, { duration_ms: 9_000, verb: "freeze" }), ...times(1, { duration_ms: 9_000 })],
  },
  DeniedCalls: {
    enough: () => times(21, { code: "not_allowed" }),
    notYet: () => times(20, { code: "not_allowed" }),
  },
  InternalErrors: {
    enough: () => times(1, { code: "internal" }),
    notYet: () => times(9, { code: "busy" }),
  },
  ServerErrors: {
    enough: () => [1, 6, 11].map((minutes) => ofApi(5, minutes)),
    // A quarter of an hour is meant, not one bad moment.
    notYet: () => [ofApi(500, 1), ofApi(4, 6), ofApi(4, 11)],
  },
  EditedRows: {
    enough: () => times(1, { outcome: "minted", unreadable: 1 }),
    notYet: () => times(9, { outcome: "minted" }),
  },
  GatewayThrottles: {
    // The log comes late: the last four minutes are not there yet.
    enough: () => refusedByApi(429, "THROTTLED", [5, 6, 7, 8, 9]),
    // Two crowds, and refusals of other kinds all the time.
    notYet: () => [
      ...refusedByApi(429, "THROTTLED", [2, 3, 8, 9]),
      ...refusedByApi(403, "ACCESS_DENIED", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ],
  },
  AccountFindings: {
    enough: () => [...checked(70), ...checked(10, { account_findings: 1 })],
    notYet: () => [...checked(70), ...checked(10)],
  },
  AccountChecksFailed: {
    enough: () => [170, 110, 50].flatMap((minutes) => checked(minutes, { account_checks_failed: 1 })),
    // Looker may be away for an hour or two.
    notYet: () => [
      ...checked(170),
      ...[110, 50].flatMap((minutes) => checked(minutes, { account_checks_failed: 1 })),
    ],
  },
  RotationFailures: {
    enough: () => [reported(metricNames.rotationFailures, 1)],
    notYet: () => [reported(metricNames.rotationFailures, 0)],
  },
  RotationOverdue: {
    enough: () => [reported(metricNames.rotationOverdue, 1)],
    notYet: () => [reported(metricNames.rotationOverdue, 0)],
  },
  UnretiredPairs: {
    enough: () => [reported(metricNames.unretiredPairs, 1)],
    notYet: () => [reported(metricNames.unretiredPairs, 0)],
  },
  IssueTokenErrors: {
    enough: () => [ofLambda("Errors", 1, "IssueToken")],
    notYet: () => [ofLambda("Errors", 1, "Logout")],
  },
  LogoutErrors: {
    enough: () => [ofLambda("Errors", 1, "Logout")],
    notYet: () => [ofLambda("Errors", 0, "Logout")],
  },
  OperateErrors: {
    enough: () => [ofLambda("Errors", 1, "Operate")],
    notYet: () => [ofLambda("Errors", 0, "Operate")],
  },
  SweepErrors: {
    enough: () => [ofLambda("Errors", 1, "Sweep")],
    notYet: () => [ofLambda("Errors", 0, "Sweep")],
  },
  CheckAccountErrors: {
    enough: () => [ofLambda("Errors", 1, "CheckAccount")],
    notYet: () => [ofLambda("Errors", 0, "CheckAccount")],
  },
  RotateSecretErrors: {
    enough: () => [ofLambda("Errors", 1, "RotateSecret")],
    notYet: () => [ofLambda("Errors", 0, "RotateSecret")],
  },
  IssueTokenThrottles: {
    enough: () => [ofLambda("Throttles", 1, "IssueToken")],
    notYet: () => [ofLambda("Throttles", 1, "Sweep")],
  },
  LogoutThrottles: {
    enough: () => [ofLambda("Throttles", 1, "Logout")],
    notYet: () => [ofLambda("Throttles", 0, "Logout")],
  },
  OperateThrottles: {
    enough: () => [ofLambda("Throttles", 1, "Operate")],
    notYet: () => [ofLambda("Throttles", 0, "Operate")],
  },
  SweepThrottles: {
    enough: () => [ofLambda("Throttles", 1, "Sweep")],
    notYet: () => [ofLambda("Throttles", 0, "Sweep")],
  },
  CheckAccountThrottles: {
    enough: () => [ofLambda("Throttles", 1, "CheckAccount")],
    notYet: () => [ofLambda("Throttles", 0, "CheckAccount")],
  },
  RotateSecretThrottles: {
    enough: () => [ofLambda("Throttles", 1, "RotateSecret")],
    notYet: () => [ofLambda("Throttles", 0, "RotateSecret")],
  },
};
const names = Object.keys(faults) as TemplateName[];

describe("the alarm", () => {
  it.each(names)(
    "%s goes off when its fault is recorded, not before, and not for another broker's",
    (name) => {
      const alarm = propertiesOf(name);
      const { enough, notYet } = faults[name];
      expect(stateOf(alarm, notYet(), noon, "OK")).toBe("OK");
      expect(stateOf(alarm, enough(), noon, "OK")).toBe("ALARM");
      const anothers = [...sweeps(5), ...enough()].map((datum) => ({
        ...datum,
        dimensions: Object.fromEntries(Object.keys(datum.dimensions).map((each) => [each, "another"])),
      }));
      // What sweeps elsewhere does not sweep here.
      expect(stateOf(alarm, anothers, noon, "OK")).toBe(name === "SweeperStopped" ? "ALARM" : "OK");
    },
  );

  it.each(names)("%s is silent in a broker that sweeps and serves", (name) => {
    const quiet = [...sweeps(30), ...times(200, { outcome: "hit" }, 30 * minuteMs)];
    expect(stateOf(propertiesOf(name), quiet, noon, "OK")).toBe("OK");
  });

  it.each(names)("%s is over when its fault is", (name) => {
    const anHourOn = noon + 60 * minuteMs;
    const since = [...sweeps(30), ...checked(10)].map((datum) => ({
      ...datum,
      at: datum.at + 60 * minuteMs,
    }));
    expect(stateOf(propertiesOf(name), [...faults[name].enough(), ...since], anHourOn, "ALARM")).toBe("OK");
  });

  it("of a logout that Looker never confirms goes off by its fifth minute, with no gap, and is over once it is confirmed", async () => {
    const alarm = propertiesOf("OldestPendingLogout");
    const inMemory = inMemoryBroker();
    await inMemory.issue();
    inMemory.looker.onLogout = () => "unconfirmed";
    await inMemory.logOut();
    const data: Datum[] = [];
    const states: string[] = [];
    for (let minute = 1; minute <= 40; minute++) {
      await inMemory.clock.advance(minuteMs);
      if (minute === 25) inMemory.looker.onLogout = undefined;
      const { audit } = await sweepNow(inMemory);
      const { pending = 0, oldest_pending_ms = 0 } = audit;
      data.push(...recorded(swept({ pending, oldest_pending_ms }), -minute * minuteMs));
      states[minute] = stateOf(alarm, data, noon + (minute + 1) * minuteMs, "OK");
    }
    const first = states.indexOf("ALARM");
    expect(first).toBeGreaterThan(1);
    expect(first).toBeLessThanOrEqual(5);
    expect(states.slice(first, 25).every((state) => state === "ALARM")).toBe(true);
    expect(states.at(40)).toBe("OK");
  });

  it("of a Looker that is away goes off while its caller is still served", async () => {
    const alarm = propertiesOf("LookerUnavailable");
    const api = inMemoryApi();
    const { clock, looker } = api.broker;
    await api.token();
    looker.onLogin = () => ({ kind: "failed", reason: "status_503" });
    // The last two minutes in which the lease satisfies a request of sixty seconds, one every ten seconds.
    await clock.advance(11.9 * minuteMs);
    const begunAt = clock.now();
    const served: number[] = [];
    for (let request = 0; request < 12; request++) {
      await clock.advance(10 * secondMs);
      served.push((await api.token()).status);
    }
    expect(new Set(served)).toEqual(new Set([200]));
    const data = api.lines.slice(1).flatMap((line) =>
      // The fakes' broker has another name than the template's.
      mustBeEmbeddedMetricFormat(line).map((datum) => ({
        ...datum,
        at: noon - 4 * minuteMs + (datum.at - begunAt),
        dimensions: { ...datum.dimensions, broker: "looker-token-broker/Broker" },
      })),
    );
    expect(stateOf(alarm, data, noon, "OK")).toBe("ALARM");
  });

  it("of the sweeper goes off when it falls silent, within eight minutes, and not at the first sweeps of a new broker", () => {
    const alarm = propertiesOf("SweeperStopped");
    const states = Array.from({ length: 10 }, (_, minutes) =>
      stateOf(alarm, sweeps(30), noon + minutes * minuteMs),
    );
    expect(states.indexOf("ALARM")).toBe(7);
    expect(states.lastIndexOf("OK")).toBe(6);
    expect(alarm).toHaveProperty("WarmUpConfiguration", { WarmUpPeriodDurationInMinutes: 10 });
  });
});

describe("the alarms", () => {
  it("are these, under stable names in code, and named by CloudFormation", () => {
    expect(alarmsOf(broker).map(([id]) => id)).toEqual(names);
    const { alarms } = broker.stack.broker;
    const capitalized = Object.keys(alarms).map((name) => name.replace(/^./, (first) => first.toUpperCase()));
    expect(capitalized).toEqual(names);
    for (const alarm of Object.values(alarms)) expect(alarm).toBeInstanceOf(Alarm);
    for (const [, properties] of alarmsOf(broker)) expect(properties).not.toHaveProperty("AlarmName");
  });

  it("are listed for operators: those of the functions by the first of them", () => {
    const page = readFileSync(new URL("../../../docs/how-to/deploy.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| `(\w+)`(?:, and of each other function)? \|/gm)].map(
      ([, name]) => name,
    );
    const ofOthers = /^(logout|operate|sweep|checkAccount|rotateSecret)(Errors|Throttles)$/;
    const expected = Object.keys(broker.stack.broker.alarms).filter((name) => !ofOthers.test(name));
    expect(listed).toEqual(expect.arrayContaining(expected));
  });

  it("treat no data as no fault, all but the one that watches for silence and those of hourly reports", () => {
    const others: Record<string, string> = {
      SweeperStopped: "breaching",
      AccountFindings: "ignore",
      AccountChecksFailed: "ignore",
    };
    for (const [id, { TreatMissingData }] of alarmsOf(broker))
      expect([id, TreatMissingData]).toEqual([id, others[id] ?? "notBreaching"]);
  });

  it("are those of the functions that there are", () => {
    const without = synthesizedHere({ settings: () => ({ accountCheck: false }) });
    const absent = ["Account", "Rotation", "RotateSecret", "Unretired"];
    expect(alarmsOf(without).filter(([id]) => absent.some((name) => id.includes(name)))).toEqual([]);
    expect(without.stack.broker.alarms.accountFindings).toBeUndefined();
    expect(without.stack.broker.alarms.sweepErrors).toBeInstanceOf(Alarm);
  });

  it("of account findings stay on until a check finds none, also while no check reports", () => {
    const alarm = propertiesOf("AccountFindings");
    const found = checked(10, { account_findings: 2 });
    expect(stateOf(alarm, found, noon, "OK")).toBe("ALARM");
    expect(stateOf(alarm, found, noon + 180 * minuteMs, "ALARM")).toBe("ALARM");
    expect(stateOf(alarm, [...found, ...checked(-50)], noon + 60 * minuteMs, "ALARM")).toBe("OK");
  });

  it("are on metrics that there are, with codes that there are", () => {
    const known = new Set<string>(Object.values(metricNames));
    for (const [, { Namespace, MetricName, Dimensions }] of alarmsOf(broker)) {
      if (Namespace === "AWS/Lambda" || Namespace === "AWS/ApiGateway") continue;
      expect(Namespace).toBe(metricNamespace);
      expect(known).toContain(MetricName);
      expect(Dimensions).toContainEqual({ Name: "broker", Value: "looker-token-broker/Broker" });
      const code = Dimensions.find(({ Name }) => Name === "code")?.Value;
      if (code !== undefined) expect(Object.keys(problems)).toContain(code);
    }
  });

  const thresholdsOf = (made: Synthesized) =>
    (["MintRate", "SlowAnswers", "DeniedCalls"] as const).map((name) => propertiesOf(name, made).Threshold);

  it("have thresholds of 300 logins, three seconds and 20 refusals without settings", () => {
    expect(thresholdsOf(synthesizedHere())).toEqual([300, 3_000, 20]);
  });

  it("take their thresholds from the settings", () => {
    const made = synthesizedHere({
      settings: () => ({
        alarms: { mintsPerFiveMinutes: 7, p99Milliseconds: 900, deniedCallsPerFiveMinutes: 3 },
      }),
    });
    expect(thresholdsOf(made)).toEqual([7, 900, 3]);
    expect(propertiesOf("MintRate", made).AlarmDescription).toContain("over 7 tokens");
  });

  it("tell a topic when they go off and when they are over, and nobody without one", () => {
    for (const [, properties] of alarmsOf(broker)) {
      expect(properties).not.toHaveProperty("AlarmActions");
      expect(properties).not.toHaveProperty("OKActions");
    }
    const arn = "arn:aws:sns:eu-central-1:111122223333:on-call";
    const settings: BrokerSettings = (stack) => ({ alarmTopic: Topic.fromTopicArn(stack, "OnCall", arn) });
    for (const [, properties] of alarmsOf(synthesizedHere({ settings })))
      expect(properties).toMatchObject({ AlarmActions: [arn], OKActions: [arn] });
  });
});

describe("an alarm's description", () => {
  const anchors = new Set([
    "rejected-credentials",
    "looker-unavailable",
    "pending-logouts",
    "possible-orphans",
    "sweeper-stopped",
    "mint-rate",
    "slow-answers",
    "throttled",
    "denied-calls",
    "internal-errors",
    "edited-rows",
    "account-findings",
    "account-check-failed",
    "rotation-failed",
    "rotation-overdue",
    "pair-not-retired",
  ]);
  const form = /^What: [A-Z][\x20-\x7e]+\. Do: [A-Z][\x20-\x7e]+\. Runbook: (\S+)#([a-z-]+)$/;

  it("says what has happened, what to do, and where the runbook has more: an entry of each kind is linked to", () => {
    const linked = alarmsOf(broker).map(([, { AlarmDescription }]) => {
      const [, url, anchor] = form.exec(AlarmDescription) ?? [];
      expect(url, AlarmDescription).toBe("docs/how-to/runbook.md");
      return anchor;
    });
    expect(new Set(linked)).toEqual(anchors);
  });

  it("fits into CloudWatch's 1,024 characters with the longest runbook address", () => {
    const runbookUrl = `https://git.example.com/${"x".repeat(376)}`;
    const made = synthesizedHere({ settings: () => ({ runbookUrl }) });
    for (const [, { AlarmDescription }] of alarmsOf(made)) {
      expect(AlarmDescription).toContain(` Runbook: ${runbookUrl}#`);
      expect(AlarmDescription.length).toBeLessThanOrEqual(1_024);
    }
  });
});
