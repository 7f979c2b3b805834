import { expect, it } from "vitest";
import { metricNames, metricNamespace } from "../../../functions/contract.ts";
import { rotatingScopes, synthesized, synthesizedHere } from "../../support/synthesized.ts";

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly width: number;
  readonly properties: {
    readonly title: string;
    readonly alarms?: string[];
    readonly metrics?: [string | { expression: string }, ...unknown[]][];
  };
}

/** The body, with what it refers to by logical ids. */
function widgetsOf(made = synthesizedHere()): Widget[] {
  const { DashboardBody } = made.one("AWS::CloudWatch::Dashboard")[1].Properties;
  const parts: unknown[] = DashboardBody["Fn::Join"][1];
  const text = parts.map((part) =>
    typeof part === "string" ? part : Object.values(part as object).flat()[0],
  );
  return JSON.parse(text.join("")).widgets;
}

it("the dashboard shows the state of every alarm", () => {
  const made = synthesizedHere({ scopes: rotatingScopes });
  const [alarms] = widgetsOf(made).flatMap(({ properties }) =>
    properties.alarms ? [properties.alarms] : [],
  );
  expect(alarms).toEqual(made.ofType("AWS::CloudWatch::Alarm").map(([id]) => id));
});

it("the dashboard shows every metric of the broker, of this broker alone", () => {
  const rows = widgetsOf(synthesizedHere({ scopes: rotatingScopes })).flatMap(
    ({ properties }) => properties.metrics ?? [],
  );
  const own = rows.filter(([namespace]) => namespace === metricNamespace);
  for (const row of own) expect(row.slice(2, 4)).toEqual(["broker", "looker-token-broker/Broker"]);
  const searches = rows.flatMap(([first]) => (typeof first === "object" ? [first.expression] : []));
  expect(searches).toEqual([
    `SEARCH('{LookerTokenBroker,broker,code} MetricName="Failures" broker="looker-token-broker/Broker"', 'Sum', 300)`,
  ]);
  const shown = [...own.map(([, name]) => name), metricNames.failures];
  expect(new Set(shown)).toEqual(new Set(Object.values(metricNames)));
});

it("the dashboard shows nothing of account checks and rotation to a broker that has neither", () => {
  const titles = widgetsOf(synthesizedHere({ settings: () => ({ accountCheck: false }) })).map(
    ({ properties }) => properties.title,
  );
  expect(titles).not.toContain("Service accounts");
  expect(titles).not.toContain("Rotation");
});

it("the dashboard's widgets stay within its 24 columns", () => {
  for (const { x, width } of widgetsOf()) expect(x + width).toBeLessThanOrEqual(24);
});

it("there is no dashboard for those who want none", () => {
  const made = synthesized({ settings: () => ({ dashboard: false }) });
  made.remove();
  made.template.resourceCountIs("AWS::CloudWatch::Dashboard", 0);
  expect(made.stack.broker.dashboard).toBeUndefined();
});
