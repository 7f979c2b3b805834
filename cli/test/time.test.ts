import { expect, test } from "vitest";
import { issuedBefore, span, wholeSeconds } from "../src/time.ts";

test.each([
  [-5, "0s"],
  [0, "0s"],
  [59.9, "59s"],
  [60, "1m 0s"],
  [899, "14m 59s"],
  [3_600, "1h 0m"],
  [7_500, "2h 5m"],
  [90_000, "1d 1h"],
])("%d seconds are shown as %s", (seconds, text) => {
  expect(span(seconds)).toBe(text);
});

const now = Date.parse("2026-11-24T13:00:00Z");

test.each([
  ["90s", "2026-11-24T12:58:30.000Z"],
  ["30m", "2026-11-24T12:30:00.000Z"],
  ["2h", "2026-11-24T11:00:00.000Z"],
  ["1d", "2026-11-23T13:00:00.000Z"],
])("--issued-before %s counts back from now", (text, time) => {
  expect(issuedBefore(text)(now)).toBe(time);
});

test.each(["2026-11-24T13:00:00Z", "2026-11-24T14:00:00.5+01:00"])(
  "--issued-before %s goes to the broker as it is",
  (text) => {
    expect(issuedBefore(text)(now)).toBe(text);
  },
);

test.each([
  ...["2026-11-24", "2026-11-24T13:00:00", "13:00", "30", "30 m", "1w", "yesterday", "-30m"],
  ...["2026-13-45T13:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24TZ", "2026-11-24T13:00Z"],
  ...["2026-11-24T13:00:00+0100", "2026-11-24T13:00:00+25:00", "2026-11-24T13:00:00CET"],
  ...["999999d", "99999999999999999999d"],
])("refuses --issued-before %s, which is several instants or none", (text) => {
  expect(() => issuedBefore(text)).toThrow("--issued-before takes a time with seconds and its offset");
});

test("the longest time ago is still a time of this era", () => {
  expect(issuedBefore("9999d")(now)).toMatch(/^1999-/);
});

test("seconds are whole", () => {
  expect(wholeSeconds("wait", "0")).toBe(0);
  for (const text of ["1.5", "-1", "1e3", "", "60s"])
    expect(() => wholeSeconds("wait", text)).toThrow("--wait takes a whole number of seconds.");
});

test("a life of 0 seconds is none", () => {
  expect(wholeSeconds("min-ttl", "1", 1)).toBe(1);
  expect(() => wholeSeconds("min-ttl", "0", 1)).toThrow(
    "--min-ttl takes a whole number of seconds from 1 on.",
  );
});
