import { describe, expect, it } from "vitest";
import { ask } from "../../../../local/insights/ask.ts";
import { eventOf } from "../../../../local/insights/events.ts";
import { parseQuery } from "../../../../local/insights/parse.ts";
import { runQuery } from "../../../../local/insights/run.ts";
import { asObjects } from "../../../../local/insights/show.ts";
import { InsightsError } from "../../../../local/insights/syntax.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");
const event = (fields: object) =>
  JSON.stringify({ time: "2026-11-24T11:59:00.000Z", kind: "audit", ...fields });
const run = (query: string, ...events: object[]) => asObjects(ask(query, events.map(event), now));
/** Which of the events, by their `n`, a filter lets pass. */
const passing = (condition: string, ...events: object[]) =>
  run(`filter ${condition} | display n`, ...events.map((fields, n) => ({ n, ...fields }))).map(({ n }) => n);

describe("filter", () => {
  it("compares text with text and numbers with numbers", () => {
    const events = [
      { code: "ok", ms: 3 },
      { code: "busy", ms: 10 },
    ];
    expect(passing('code = "ok"', ...events)).toEqual([0]);
    expect(passing('code != "ok"', ...events)).toEqual([1]);
    expect(passing("ms > 3", ...events)).toEqual([1]);
    expect(passing("ms >= 3", ...events)).toEqual([0, 1]);
    expect(passing("ms < 10", ...events)).toEqual([0]);
    expect(passing("ms <= 10 and ms = 10", ...events)).toEqual([1]);
    expect(passing('code in ["busy", "ok"]', ...events)).toEqual([0, 1]);
  });

  it("takes a missing field for equal to nothing, more than nothing, in no list and not present", () => {
    for (const condition of ['x = ""', "x = 0", "x > 0", "x < 0", 'x in [""]', "ispresent(x)"])
      expect(passing(condition, {})).toEqual([]);
    expect(passing("ispresent(x)", { x: 0 }, { x: "" })).toEqual([0, 1]);
  });

  it("finds a pattern in a text, and none in a field that is missing", () => {
    expect(
      passing("text like /T.sk timed|Runtime\\./", { text: "a Task timed out" }, { text: "Runtimes" }, {}),
    ).toEqual([0]);
  });

  it("binds and closer than or, and parentheses closest", () => {
    const events = [
      { a: 1, b: 1, c: 0 },
      { a: 0, b: 0, c: 1 },
    ];
    expect(passing("a = 1 and b = 1 or c = 1", ...events)).toEqual([0, 1]);
    expect(passing("c = 1 or a = 1 and b = 0", ...events)).toEqual([1]);
    expect(passing("a = 1 and (b = 1 or c = 1)", ...events)).toEqual([0]);
  });

  it("finds nested members by dots, and those of lists by number", () => {
    expect(passing('caller.arn = "me"', { caller: { arn: "me" } }, { caller: {} })).toEqual([0]);
    expect(passing('list.1 = "b"', { list: ["a", "b"] }, { list: ["b"] })).toEqual([0]);
  });

  it("knows the time: seconds since 1970 times 1000, against a date read as milliseconds", () => {
    const ends = (text: string) => ({ ends: text });
    const format = "\"yyyy-MM-dd'T'HH:mm:ss.SSSX\"";
    expect(
      passing(
        `parseDate(ends, ${format}) > now() * 1000`,
        ends("2026-11-24T12:00:00.001Z"),
        ends("2026-11-24T12:00:00.000Z"),
        {},
      ),
    ).toEqual([0]);
  });
});

describe("stats", () => {
  const events = [
    { time: "2026-11-24T11:00:00.000Z", scope: "sales", ms: 9, id: "b" },
    { time: "2026-11-24T11:30:00.000Z", scope: "sales", ms: 10, id: "a" },
    { time: "2026-11-24T11:10:00.000Z", scope: "sales", id: "b" },
    { time: "2026-11-24T11:20:00.000Z", id: "c" },
  ];

  it("counts, adds and chooses among the events that have the field, by groups of which one may be of none", () => {
    const query =
      "stats count(*) as all, count(ms) as with, count_distinct(id) as ids, sum(ms) as sum, max(ms) as most, sortsFirst(id) as first, sortsLast(id) as last by scope";
    expect(run(query, ...events)).toEqual([
      { scope: "sales", all: 3, with: 2, ids: 2, sum: 19, most: 10, first: "a", last: "b" },
      { scope: null, all: 1, with: 0, ids: 1, sum: null, most: null, first: "c", last: "c" },
    ]);
  });

  it("takes as latest what the event with the latest timestamp has, and that is when it was written", () => {
    expect(run("stats latest(id) as id by kind", ...events)).toEqual([{ kind: "audit", id: "a" }]);
    const slow = { time: "2026-11-24T11:00:00.000Z", id: "slow", duration_ms: 3_600_000 };
    expect(run("stats latest(id) as id by kind", ...events, slow)).toEqual([{ kind: "audit", id: "slow" }]);
  });

  it("does not guess what latest is where an event lacks the field", () => {
    expect(() => run("stats latest(ms) as ms by kind", ...events)).toThrow(InsightsError);
  });

  it("groups by hours that bin() has cut, and filters what it has made", () => {
    const query = "fields bin(1h) as hour | stats count(*) as all by hour | filter all > 1";
    expect(run(query, ...events, { time: "2026-11-24T12:00:00.000Z" })).toEqual([
      { hour: "2026-11-24 11:00:00.000", all: 4 },
    ]);
  });
});

describe("sort", () => {
  it("is descending when told so", () => {
    const query = (direction: string) => `sort n ${direction} | display n`;
    expect(run(query("asc"), { n: 10 }, { n: 9 })).toEqual([{ n: 9 }, { n: 10 }]);
    expect(run(query("desc"), { n: 9 }, { n: 10 })).toEqual([{ n: 10 }, { n: 9 }]);
  });
});

it("parse takes its named groups out of the record's text, and nothing where it does not match", () => {
  const query = 'parse @message /"list":\\[(?<all>[^\\]]*)\\]/ | display all';
  expect(run(query, { list: ["a", "b"] }, {})).toEqual([{ all: '"a","b"' }, { all: null }]);
});

it("no more than 10,000 rows are returned", () => {
  expect(run("display n", ...Array.from({ length: 10_001 }, (_, n) => ({ n })))).toHaveLength(10_000);
});

describe("what CloudWatch does not document is an error that says so", () => {
  it.each([
    ["a query that does not say what it shows", 'filter code = "ok"', /must say what it shows/],
    ["text beside a number", "filter code = 1 | display code", /string = number/],
    ["an order of texts", 'filter code > "a" | display code', /is for numbers/],
    ["a missing field that is unequal", "filter x != 1 | display code", /may be missing/],
    ["another date format", 'fields parseDate(time, "yyyy") as t | display t', /own format only/],
  ])("%s", (_, query, message) => {
    expect(() => run(query, { code: "ok" })).toThrow(message);
  });
});

it("takes lines that begin with # for comments", () => {
  expect(run("# a question?\n  # how to read it\ndisplay n\n# | limit 1", { n: 1 }, { n: 2 })).toHaveLength(
    2,
  );
});

it("limits the rows where it stands, and shows fields by their names", () => {
  expect(run("fields n, m | sort n desc | limit 1", { n: 1 }, { n: 2, m: 3 })).toEqual([{ n: 2, m: 3 }]);
});

it("discovers no field in a line that is no JSON, and takes the time that it was written at", () => {
  const query = parseQuery("display @timestamp, @message, kind");
  const events = ["Task timed out", '{"kind": '].map((line) => eventOf(line, now));
  expect(
    asObjects(runQuery(query, events, now)).map(({ kind, ...rest }) => [kind, Object.values(rest)]),
  ).toEqual([
    [null, ["2026-11-24 12:00:00.000", "Task timed out"]],
    [null, ["2026-11-24 12:00:00.000", '{"kind": ']],
  ]);
});
