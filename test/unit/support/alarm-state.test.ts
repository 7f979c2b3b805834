import { describe, expect, it } from "vitest";
import { type AlarmProperties, type AlarmState, stateOf } from "../../support/audit/alarm-state.ts";
import type { Datum } from "../../support/audit/embedded-metric-format.ts";

const alarm: AlarmProperties = {
  Namespace: "Doors",
  MetricName: "Knocks",
  Dimensions: [{ Name: "house", Value: "blue" }],
  Period: 60,
  Statistic: "Sum",
  EvaluationPeriods: 1,
  Threshold: 10,
  ComparisonOperator: "GreaterThanThreshold",
  TreatMissingData: "notBreaching",
};
const noon = Date.parse("2026-11-24T12:00:00.000Z");
const knock = (value: number, secondsAgo: number, changes: Partial<Datum> = {}): Datum => ({
  namespace: "Doors",
  name: "Knocks",
  value,
  at: noon - secondsAgo * 1_000,
  dimensions: { house: "blue" },
  ...changes,
});

/** The tables of the page: the newest on the right, `X` breaches, `0` does not, `-` is missing. */
describe("an alarm of three periods, by AWS's own table", () => {
  const stateFor = (points: string, changes: Partial<AlarmProperties>) => {
    const data = points
      .split(" ")
      .reverse()
      .flatMap((point, age) => (point === "-" ? [] : [knock(point === "X" ? 11 : 10, age * 60 + 30)]));
    return stateOf({ ...alarm, EvaluationPeriods: 3, ...changes }, data, noon, "OK");
  };
  const treatments = ["missing", "ignore", "breaching", "notBreaching"] as const;
  /** The state before was OK, which is what `ignore` keeps. */
  type Row = [
    points: string,
    missing: AlarmState,
    ignore: AlarmState,
    breaching: AlarmState,
    not: AlarmState,
  ];

  it.each<Row>([
    ["0 - X - X", "OK", "OK", "OK", "OK"],
    ["0 - - - -", "OK", "OK", "OK", "OK"],
    ["- - - - -", "INSUFFICIENT_DATA", "OK", "ALARM", "OK"],
    ["0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
    ["- - X - -", "ALARM", "OK", "ALARM", "OK"],
    // Of "Avoiding premature transitions".
    ["- - - - X", "OK", "OK", "ALARM", "OK"],
    ["- - - X -", "OK", "OK", "ALARM", "OK"],
  ])("all of which must breach: %s", (points, ...expected) => {
    expect(treatments.map((TreatMissingData) => stateFor(points, { TreatMissingData }))).toEqual(expected);
  });

  it.each<Row>([
    ["0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
    ["0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"],
    ["0 - X - -", "OK", "OK", "ALARM", "OK"],
    ["- - - - 0", "OK", "OK", "ALARM", "OK"],
    ["- - X - -", "ALARM", "OK", "ALARM", "OK"],
  ])("two of which must breach: %s", (points, ...expected) => {
    expect(
      treatments.map((TreatMissingData) => stateFor(points, { TreatMissingData, DatapointsToAlarm: 2 })),
    ).toEqual(expected);
  });
});

describe("a datapoint", () => {
  it.each<[string, number, number]>([
    // Of 1, 2 … 10.
    ["Sum", 55, 54],
    ["Average", 5.5, 5.4],
    ["Minimum", 1, 0],
    ["Maximum", 10, 9],
    ["SampleCount", 10, 9],
    ["p50", 5, 4],
    ["p99", 10, 9],
  ])("is the %s of what its period brought", (statistic, value, less) => {
    const { Statistic: _, ...others } = alarm;
    const data = Array.from({ length: 10 }, (_, index) => knock(index + 1, 30));
    const asked = statistic.startsWith("p") ? { ExtendedStatistic: statistic } : { Statistic: statistic };
    expect(stateOf({ ...others, ...asked, Threshold: less }, data, noon)).toBe("ALARM");
    expect(stateOf({ ...others, ...asked, Threshold: value }, data, noon)).toBe("OK");
  });

  it.each<[string, AlarmState, AlarmState, AlarmState]>([
    ["GreaterThanThreshold", "OK", "OK", "ALARM"],
    ["GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"],
    ["LessThanThreshold", "ALARM", "OK", "OK"],
    ["LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"],
  ])("is compared by %s", (ComparisonOperator, below, equal, above) => {
    const at = (value: number) => stateOf({ ...alarm, ComparisonOperator }, [knock(value, 30)], noon);
    expect([at(9), at(10), at(11)]).toEqual([below, equal, above]);
  });

  it.each<[string, Partial<Datum>]>([
    ["namespace", { namespace: "Windows" }],
    ["name", { name: "Rings" }],
    ["dimension's value", { dimensions: { house: "red" } }],
    ["further dimension", { dimensions: { house: "blue", floor: "1" } }],
    ["set of dimensions", { dimensions: {} }],
  ])("is not made of a metric with another %s", (_, changes) => {
    expect(stateOf(alarm, [knock(11, 30, changes)], noon)).toBe("OK");
  });

  it("is found by a dimension that refers to a resource, under its logical id", () => {
    const referring = { ...alarm, Dimensions: [{ Name: "house", Value: { Ref: "House1234" } }] };
    expect(stateOf(referring, [knock(11, 30, { dimensions: { house: "House1234" } })], noon)).toBe("ALARM");
  });
});

describe("the window", () => {
  const five: AlarmProperties = { ...alarm, Period: 300 };

  it("slides by minutes: what is together in no five minutes of the clock counts as well", () => {
    const data = [knock(6, 299), knock(6, 1)];
    const threePast = 3 * 60_000;
    const later = data.map((datum) => ({ ...datum, at: datum.at + threePast }));
    expect(stateOf(five, later, noon + threePast)).toBe("ALARM");
    expect(stateOf(five, [knock(6, 301), knock(6, 1)], noon)).toBe("OK");
  });

  it("ends with the last whole minute", () => {
    const data = [knock(11, -10)];
    expect(stateOf(alarm, data, noon + 30_000)).toBe("OK");
    expect(stateOf(alarm, data, noon + 60_000)).toBe("ALARM");
  });

  it("reaches back behind what is missing: the last datapoint is judged again until it is out of range", () => {
    const minutesLater = (minutes: number) => stateOf(alarm, [knock(11, 30)], noon + minutes * 60_000);
    expect([minutesLater(0), minutesLater(2), minutesLater(3)]).toEqual(["ALARM", "ALARM", "OK"]);
  });
});

it.each<[string, object]>([
  ["metric math", { Metrics: [] }],
  ["an unknown statistic", { Statistic: "Mode" }],
  ["an unknown comparison", { ComparisonOperator: "Sideways" }],
  ["an unknown treatment of missing data", { TreatMissingData: "hope", EvaluationPeriods: 2 }],
])("refuses to guess about %s", (_, changes) => {
  expect(() => stateOf({ ...alarm, ...changes }, [knock(11, 30)], noon)).toThrow();
});
