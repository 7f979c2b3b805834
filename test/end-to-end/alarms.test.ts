/**
 * Each alarm of the template, evaluated on the metric lines that a broker wrote while its fault was made, or on its API's
 * access log: off before, on then. Lambda's own metrics (errors, throttles) are in no line: test/unit/infra/alarms.test.ts has those.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Control } from "../../local/looker/control.ts";
import { accessLogMetrics } from "../support/audit/access-log.ts";
import { type AlarmProperties, stateOf } from "../support/audit/alarm-state.ts";
import { type Datum, mustBeEmbeddedMetricFormat } from "../support/audit/embedded-metric-format.ts";
import type { LogEvent } from "../support/audit/metric-filter.ts";
import {
  auditLines,
  type Caller,
  callerOf,
  clientSecretOf,
  openFirstLock,
  type Stand,
  sharedStand,
  startStand,
  startsWithinMs,
} from "../support/broker-stand.ts";
import { type Synthesized, synthesized } from "../support/synthesized.ts";
import { rowsOf, type TableRows } from "./rows.ts";

const minuteMs = 60_000;

let template: Synthesized;
let stand: Stand;
let rows: TableRows;
let looker: Control;
let reports: Caller;
let nightly: Caller;
let outsider: Caller;

beforeAll(async () => {
  // Thresholds that a handful of requests reaches; everything else as it is deployed.
  template = synthesized({
    settings: () => ({
      alarms: { mintsPerFiveMinutes: 4, deniedCallsPerFiveMinutes: 4, p99Milliseconds: 1_000 },
    }),
  });
  stand = await startStand();
  rows = rowsOf(stand);
  looker = stand.broker.looker?.control as Control;
  reports = callerOf(stand, "report-service");
  nightly = callerOf(stand, "nightly-job");
  outsider = callerOf(stand, "finance-service");
  openFirstLock(stand.broker, outsider.principal);
}, startsWithinMs);
afterAll(async () => {
  template?.remove();
  rows?.close();
  await stand?.stop();
});
beforeEach(async () => {
  looker.clearFaults();
  await rows.delete(() => true);
});

function alarm(name: string): AlarmProperties {
  return template.one("AWS::CloudWatch::Alarm", `BrokerAlarms${name}`)[1].Properties;
}

/** The metrics of what was written while it was done. */
async function during(work: () => Promise<unknown>): Promise<Datum[]> {
  const before = auditLines(stand.broker).length;
  await work();
  // Lines come on their own, and in the order in which they were written.
  await reports.send("GET", "/scopes");
  let lines = auditLines(stand.broker).slice(before);
  while (lines.at(-1)?.verb !== "scopes") {
    await new Promise((resolve) => setTimeout(resolve, 20));
    lines = auditLines(stand.broker).slice(before);
  }
  return lines.flatMap((line) => mustBeEmbeddedMetricFormat(line));
}

/** What the alarm says just after the minute of the last of them, had it been so for the last half hour. */
function stateAfter(name: string, data: readonly Datum[], { everyMs = 5 * minuteMs } = {}) {
  const last = Math.max(...data.map(({ at }) => at));
  const span = Math.max(30 * minuteMs, 4 * everyMs);
  const lasting = Array.from({ length: Math.ceil(span / everyMs) }, (_, ago) =>
    data.map((datum) => ({ ...datum, at: datum.at - ago * everyMs })),
  ).flat();
  return stateOf(alarm(name), lasting, Math.ceil((last + 1) / minuteMs) * minuteMs);
}

const sweep = () => stand.broker.runSchedules();
/** As if none had been made before. */
async function check(): Promise<void> {
  await rows.delete(({ sk }) => sk === "#account");
  await stand.broker.runSchedules();
}
const wellBehaved = () =>
  during(async () => {
    await reports.token("sales");
    await reports.token("sales");
    await nightly.token("sales");
    await nightly.logout("sales");
    await sweep();
  });

const faults: Record<string, { fault: () => Promise<unknown>; everyMs?: number }> = {
  RejectedCredentials: {
    async fault() {
      const { client_id, client_secret } = await clientSecretOf(stand.broker, "looker/sales");
      looker.changeSecret(client_id, "changed-at-looker-only");
      await reports.token("sales");
      looker.changeSecret(client_id, client_secret);
    },
  },
  LookerUnavailable: {
    async fault() {
      looker.addFault({ route: "login", kind: "status", status: 503 });
      for (let i = 0; i < 4; i++) await reports.token("sales");
    },
  },
  OldestPendingLogout: {
    async fault() {
      await reports.token("sales");
      looker.addFault({ route: "all", kind: "status", status: 500 });
      await reports.logout("sales");
      // Six minutes and many tries later.
      await rows.edit(reports.principal, (row) => {
        const [token] = row.outbox;
        Object.assign(token, { since: token.since - 6 * minuteMs, retry_at: token.since });
        row.due_at = Math.floor(token.since / 1_000);
      });
      await sweep();
    },
  },
  SweepLag: {
    async fault() {
      await reports.token("sales");
      await rows.edit(reports.principal, (row) => {
        row.due_at = Math.floor(Date.now() / 1_000) - 600;
      });
      await sweep();
    },
    everyMs: minuteMs,
  },
  PossibleOrphans: {
    async fault() {
      looker.addFault({ route: "login", kind: "reset", when: "after", times: 1 });
      await reports.token("sales");
    },
  },
  MintRate: {
    async fault() {
      for (let i = 0; i < 5; i++) {
        await nightly.token("sales");
        await nightly.logout("sales");
      }
    },
  },
  SlowAnswers: {
    async fault() {
      looker.addFault({ route: "login", kind: "delay", delayMs: 1_200, times: 1 });
      await reports.token("sales");
    },
  },
  DeniedCalls: {
    async fault() {
      for (let i = 0; i < 5; i++) await outsider.token("sales");
    },
  },
  InternalErrors: {
    async fault() {
      await reports.token("sales");
      await rows.edit(reports.principal, (row) => {
        row.lease.ends_at = "never";
      });
      await reports.token("sales");
    },
  },
  EditedRows: {
    async fault() {
      await reports.token("sales");
      await rows.edit(reports.principal, (row) => {
        row.lease.base_url = "https://looker.attacker.example";
      });
      await reports.token("sales");
    },
  },
  AccountFindings: {
    async fault() {
      looker.changeUser("101", { admin: true });
      await check();
      looker.changeUser("101", { admin: false });
    },
    everyMs: 60 * minuteMs,
  },
  AccountChecksFailed: {
    async fault() {
      looker.addFault({ route: "users", kind: "status", status: 500 });
      await check();
    },
    everyMs: 60 * minuteMs,
  },
};

test.each(Object.entries(faults))("%s", async (name, { fault, everyMs }) => {
  expect(stateAfter(name, await wellBehaved())).toBe("OK");
  await rows.delete(() => true);
  expect(stateAfter(name, await during(fault), everyMs ? { everyMs } : {})).toBe("ALARM");
});

test("SweeperStopped", async () => {
  const data = await during(sweep);
  const last = Math.max(...data.map(({ at }) => at));
  const eachMinute = Array.from({ length: 20 }, (_, ago) =>
    data.map((datum) => ({ ...datum, at: datum.at - ago * minuteMs })),
  ).flat();
  const soon = Math.ceil((last + 1) / minuteMs) * minuteMs;
  expect(stateOf(alarm("SweeperStopped"), eachMinute, soon)).toBe("OK");
  expect(stateOf(alarm("SweeperStopped"), eachMinute, soon + 10 * minuteMs)).toBe("ALARM");
});

describe("with a throttle that two requests reach", () => {
  const events: LogEvent[] = [];
  const throttled = sharedStand({
    scopesFile: fileURLToPath(new URL("throttled-scopes.ts", import.meta.url)),
    throttle: true,
    onAccessLog: (message) => events.push({ message, at: Date.now() }),
  });

  test("GatewayThrottles", async () => {
    const caller = callerOf(throttled, "report-service");
    expect((await caller.token("sales")).status).toBe(200);
    expect(accessLogMetrics(template, events.splice(0))).toEqual([]);
    let answer = await caller.send("GET", "/scopes");
    while (answer.status !== 429) answer = await caller.send("GET", "/scopes");
    expect(answer).toMatchObject({ headers: { "retry-after": "1" }, json: { message: "Too Many Requests" } });
    const data = accessLogMetrics(template, events);
    expect(data).toHaveLength(1);
    expect(stateAfter("GatewayThrottles", data, { everyMs: minuteMs })).toBe("ALARM");
  });
});

test("every alarm on the broker's own metrics is among these", () => {
  const own = template
    .ofType("AWS::CloudWatch::Alarm")
    .filter(([, { Properties }]) => Properties.Namespace === "LookerTokenBroker")
    .map(([id]) => id.slice("BrokerAlarms".length, -8));
  expect(own.sort()).toEqual([...Object.keys(faults), "SweeperStopped", "GatewayThrottles"].sort());
});
