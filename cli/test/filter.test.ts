import { expect, test } from "vitest";
import { describeFilter, type Filter, filterOf, matches } from "../src/filter.ts";
import type { ListedLease } from "../src/listing.ts";

const arn = "arn:aws:iam::111122223333:role/report-service";
const now = Date.parse("2026-11-24T13:00:00Z");

test("the options become the broker's query", () => {
  const all = { "lease-id": "l", caller: arn, "issued-before": "30m", "client-id": "i" };
  expect(filterOf(all)(now, [])).toEqual({
    lease_id: "l",
    caller: arn,
    issued_before: "2026-11-24T12:30:00.000Z",
    client_id: "i",
  });
  expect(filterOf({ all: true })(now, [])).toEqual({ all: "true" });
});

test("no filter is not everything, and everything has no filter", () => {
  expect(() => filterOf({})).toThrow("Which leases?");
  expect(() => filterOf({ all: true, caller: arn })).toThrow("--all stands alone");
});

test("the question names what was resolved, such as the time", () => {
  expect(describeFilter(filterOf({ caller: arn, "issued-before": "30m" })(now, []))).toBe(
    `caller ${arn}, issued before 2026-11-24T12:30:00.000Z`,
  );
  expect(describeFilter({ all: "true" })).toBe("everything");
});

const lease: ListedLease = {
  lease_id: "l",
  caller: arn,
  unique_id: "u",
  state: "pending",
  issued_at: "2026-11-24T12:30:04Z",
  ends_at: "2026-11-24T12:45:04Z",
  token_ends_at: "2026-11-24T13:30:17Z",
  client_id: "i",
};
const minting: ListedLease = {
  ...lease,
  state: "minting",
  lease_id: null,
  ends_at: null,
  token_ends_at: null,
  client_id: null,
};

test.each<[string, ListedLease, Filter, boolean]>([
  ["everything", lease, { all: "true" }, true],
  ["its id", lease, { lease_id: "l" }, true],
  ["another id", lease, { lease_id: "m" }, false],
  ["another caller", lease, { caller: "d", lease_id: "l" }, false],
  ["a time less than five seconds before it", lease, { issued_before: "2026-11-24T12:30:00Z" }, true],
  ["a time long before it", lease, { issued_before: "2026-11-24T12:29:00Z" }, false],
  ["another client id", lease, { client_id: "j" }, false],
  ["any client id, while its login is under way", minting, { client_id: "j" }, true],
  ["any lease id, while its login is under way", minting, { lease_id: "l" }, false],
])("a listed lease is compared with %s as the broker does", (_, listed, filter, expected) => {
  expect(matches(listed, filter)).toBe(expected);
});
