import { expect, test } from "vitest";
import { callerOf } from "../src/caller.ts";
import type { ListedLease } from "../src/listing.ts";

const reportService = "arn:aws:iam::111122223333:role/report-service";

const leaseOf = (caller: string): ListedLease => ({
  lease_id: "8ae67a142e19b6ce3e1e",
  caller,
  unique_id: "AROAREPORT",
  state: "live",
  issued_at: "2026-11-24T12:58:00Z",
  ends_at: "2026-11-24T13:13:00Z",
  token_ends_at: "2026-11-24T13:58:13Z",
  client_id: "salesclient",
});
const read = (text: string, ...callers: string[]) => callerOf(text)(callers.map(leaseOf));

test.each([
  ["its IAM ARN", reportService],
  [
    "the ARN that the IAM console shows, with its path",
    "arn:aws:iam::111122223333:role/teams/bi/report-service",
  ],
  ["the session in API Gateway's refusal", "arn:aws:sts::111122223333:assumed-role/report-service/i-0abc"],
])("a role by %s", (_, text) => {
  expect(read(text)).toBe(reportService);
});

test("a user by its ARN, and both in another partition", () => {
  expect(read("arn:aws:iam::111122223333:user/ann")).toBe("arn:aws:iam::111122223333:user/ann");
  expect(read("arn:aws-us-gov:sts::111122223333:assumed-role/r/s1")).toBe(
    "arn:aws-us-gov:iam::111122223333:role/r",
  );
});

test.each(["report-service", "role/report-service"])(
  "%s, where one caller with a lease has that name",
  (text) => {
    expect(read(text, "arn:aws:iam::111122223333:role/other", reportService, reportService)).toBe(
      reportService,
    );
  },
);

test("a name in two accounts is refused, and the error names both", () => {
  const other = "arn:aws:iam::444455556666:role/report-service";
  expect(() => read("report-service", reportService, other)).toThrow(
    `could mean ${reportService} or ${other}`,
  );
});

test("a name of a role and of a user is refused, and the kind decides", () => {
  const user = "arn:aws:iam::111122223333:user/report-service";
  expect(() => read("report-service", reportService, user)).toThrow("could mean");
  expect(read("user/report-service", reportService, user)).toBe(user);
});

test("an account hidden by API Gateway is found by its last digits", () => {
  const other = "arn:aws:iam::444455556666:role/report-service";
  const session = "arn:aws:sts::********3333:assumed-role/report-service/i-0abc";
  expect(read(session, reportService, other)).toBe(reportService);
  expect(read("arn:aws:iam::********6666:role/report-service", reportService, other)).toBe(other);
  expect(() => read(session, other)).toThrow(
    "No listed lease belongs to a caller with the name report-service",
  );
  expect(() => read(session, reportService, "arn:aws:iam::999988883333:role/report-service")).toThrow(
    "could mean",
  );
  expect(() => callerOf(session)(undefined)).toThrow("a name is not enough");
});

test("a name without a lease is refused rather than guessed, and so is a part of a name", () => {
  expect(() => read("report-service")).toThrow(
    "No listed lease belongs to a caller with the name report-service.",
  );
  expect(() => read("service", reportService)).toThrow("No listed lease");
});

test("a name is not enough if a scope's list is missing", () => {
  expect(() => callerOf("report-service")(undefined)).toThrow("a name is not enough");
  expect(callerOf(reportService)(undefined)).toBe(reportService);
});

test.each([
  "",
  "report service",
  "report-*",
  "arn:aws:iam::111122223333:role/",
  "arn:aws:iam::1111:role/report-service",
  "arn:aws:iam::111122223333:root",
  "arn:aws:sts::111122223333:federated-user/bob",
])("%o is none of the three forms", (text) => {
  expect(() => callerOf(text)).toThrow("--caller takes a name");
});
