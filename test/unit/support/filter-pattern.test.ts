import { describe, expect, it } from "vitest";
import { matchesFilterPattern, selectorsOf } from "../../support/audit/filter-pattern.ts";
import { filteredMetrics, type MetricFilterProperties } from "../../support/audit/metric-filter.ts";

/** The two events of https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html */
const trail = JSON.stringify({
  eventType: "UpdateTrail",
  sourceIPAddress: "111.111.111.111",
  arrayKey: ["value", "another value"],
  objectList: [
    { name: "a", id: 1 },
    { name: "b", id: 2 },
  ],
  SomeObject: null,
});
const users = JSON.stringify({
  user: { id: 1, email: "John.Stiles@example.com" },
  users: [
    { id: 2, email: "John.Doe@example.com" },
    { id: 3, email: "Jane.Doe@example.com" },
  ],
  actions: ["GET", "PUT", "DELETE"],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
    [7, 8, 9],
  ],
});

describe("AWS's own examples", () => {
  it.each([
    ['{ $.eventType = "UpdateTrail" }', trail, true],
    ["{ $.sourceIPAddress != 123.123.* }", trail, true],
    ['{ $.arrayKey[0] = "value" }', trail, true],
    ["{ $.objectList[1].id = 2 }", trail, true],
    ['{ $.eventType = "*" && $.sourceIPAddress != 123.123.* }', trail, true],
    ['{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', users, true],
    [
      '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }',
      users,
      true,
    ],
    [
      '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }',
      users,
      false,
    ],
    ['{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', users, false],
    ["{$.foo = bar || $.foo = baz }", '{"foo": "baz"}', true],
    ["{$.foo = bar}", '{"foo": "baz"}', false],
    // "both will fail to match a log event where users is an array"
    ["{ $.users = 1 }", '{"users": [1, 2, 3]}', false],
    ["{ $.users != 1 }", '{"users": [1, 2, 3]}', false],
  ])("%s", (pattern, message, matches) => {
    expect(matchesFilterPattern(pattern, message)).toBe(matches);
  });
});

describe("a filter pattern", () => {
  it.each([
    ['{ $.error = "THROTTLED" }', "no JSON at all: THROTTLED"],
    ['{ $.error = "THROTTLED" }', '{"error": "throttled"}'],
    ['{ $.error = "THROTTLED" }', '{"error": "NOT_THROTTLED"}'],
    ['{ $.broker = "*" }', '{"error": "THROTTLED"}'],
    ['{ $.a = "1.1" }', '{"a": "1x1"}'],
  ])("%s does not match %s", (pattern, message) => {
    expect(matchesFilterPattern(pattern, message)).toBe(false);
  });

  it.each([
    '$.error = "THROTTLED"',
    '{ $.error == "THROTTLED" }',
    '{ $.error = "THROTTLED" ',
    '{ ($.error = "THROTTLED" }',
    '{ $.error = "THROTTLED" } }',
    '{ $.error = "THROTTLED" && }',
    "{ $.error IS NULL }",
    "{ $.latency > 5 }",
    "THROTTLED",
  ])("that is malformed or not known here is an error: %s", (pattern) => {
    expect(() => matchesFilterPattern(pattern, "{}")).toThrow(pattern);
  });

  it("names its properties", () => {
    expect(selectorsOf('{ ($.a-b = "$.c") && $.d[0].e != 1 }')).toEqual(["$.a-b", "$.d[0].e"]);
  });
});

describe("a metric filter", () => {
  const transformation = {
    MetricNamespace: "Doors",
    MetricName: "Knocks",
    MetricValue: "1",
    Dimensions: [{ Key: "house", Value: "$.house" }],
  };
  const filter = (changes: object = {}, FilterPattern = '{ $.house = "*" && $.knock = 1 }') =>
    ({ FilterPattern, MetricTransformations: [{ ...transformation, ...changes }] }) as MetricFilterProperties;

  it("makes a datum of each line that matches, with its dimension and its time", () => {
    const lines = [{ house: "blue", knock: 1 }, { house: "blue", knock: 0 }, { knock: 1 }];
    const events = lines.map((line, at) => ({ message: JSON.stringify(line), at }));
    expect(filteredMetrics(filter(), events)).toEqual([
      { namespace: "Doors", name: "Knocks", value: 1, at: 0, dimensions: { house: "blue" } },
    ]);
  });

  it.each([
    [{ DefaultValue: 0 }, undefined, "default value"],
    [{}, "{ $.knock = 1 }", "$.house"],
    [{ Dimensions: Array(4).fill(transformation.Dimensions[0]) }, undefined, "three"],
    [{ MetricNamespace: "AWS/Doors" }, undefined, "namespace"],
    [{ MetricValue: "$.knock" }, undefined, "value $.knock"],
  ])("is an error where AWS would refuse it: %j %s", (changes, pattern, message) => {
    expect(() => filteredMetrics(filter(changes, pattern), [])).toThrow(message);
  });
});
