/** Whatever is wrong with a filter, it must never come to mean "everything". */
import { expect, it } from "vitest";
import { inMemoryOperator } from "../support/fakes/in-memory-operator.ts";

const role = "arn:aws:iam::111122223333:role/report-service";
const lease = "some-lease-id-01";

async function refused(query: Record<string, string | readonly string[]>, more: object = {}) {
  const operator = inMemoryOperator();
  await operator.broker.issue();
  const before = structuredClone([...operator.broker.table.items]);
  operator.broker.table.calls.length = 0;
  const answer = await operator.revoke(query, more);
  expect([...operator.broker.table.items]).toEqual(before);
  expect(operator.broker.table.calls).toEqual([]);
  expect(operator.broker.looker.logouts()).toEqual([]);
  expect([answer.status, answer.body.code]).toEqual([400, "bad_request"]);
  return answer.body.detail as string;
}

it.each<[string, Record<string, string | readonly string[]>, RegExp]>([
  ["no filter", {}, /^filter: give lease_id, caller, issued_before, client_id or token_sha256, or all=true/],
  ["a dry run of no filter", { dry_run: "true" }, /^filter: /],
  ["an empty lease id", { lease_id: "" }, /^lease_id: is empty/],
  ["an empty caller", { caller: "" }, /^caller: is empty/],
  ["an empty time", { issued_before: "" }, /^issued_before: is empty/],
  ["an empty client id", { client_id: "" }, /^client_id: is empty/],
  ["an empty all", { all: "" }, /^all: is empty/],
  ["a good filter beside an empty one", { lease_id: lease, caller: "" }, /^caller: is empty/],
  ["a doubled lease id", { lease_id: [lease, "some-lease-id-02"] }, /^lease_id: is given more than once/],
  ["the same value twice", { lease_id: [lease, lease] }, /^lease_id: is given more than once/],
  ["a doubled all", { all: ["true", "true"] }, /^all: is given more than once/],
  ["a doubled dry run", { all: "true", dry_run: ["true", "true"] }, /^dry_run: is given more than once/],
  ["no value at all", { lease_id: [] }, /^lease_id: /],
  ["an unknown filter", { caller_arn: role }, /unknown query parameter; known are lease_id, caller/],
  ["a misspelt dry run beside all", { all: "true", "dry-run": "true" }, /unknown query parameter/],
  ["a filter in another case", { Lease_id: lease }, /unknown query parameter/],
  ["a filter with a space", { "lease_id ": lease }, /unknown query parameter/],
  ["a name of the prototype", { constructor: "x" }, /unknown query parameter/],
  ["all with a lease id", { all: "true", lease_id: lease }, /^all: stands alone/],
  ["all with a caller", { all: "true", caller: role }, /^all: stands alone/],
  ["all with a time", { all: "true", issued_before: "2020-01-01T00:00:00Z" }, /^all: stands alone/],
  ["all with a client id", { all: "true", client_id: "clientOne" }, /^all: stands alone/],
  ["all=false", { all: "false" }, /^all: must be true, or left out/],
  ["all=false with a filter", { all: "false", lease_id: lease }, /^all: must be true, or left out/],
  ["all=TRUE", { all: "TRUE" }, /^all: must be true/],
  ["all=1", { all: "1" }, /^all: must be true/],
  ["dry_run=maybe", { all: "true", dry_run: "maybe" }, /^dry_run: must be true, or left out/],
  ["dry_run=false", { all: "true", dry_run: "false" }, /^dry_run: must be true, or left out/],
  ["a date without a time", { issued_before: "2023-11-14" }, /^issued_before: must be a time/],
  ["a time without an offset", { issued_before: "2023-11-14T12:00:00" }, /^issued_before: must be a time/],
  ["a date that is none", { issued_before: "yesterday" }, /^issued_before: must be a time/],
  ["epoch seconds", { issued_before: "1700000000" }, /^issued_before: must be a time/],
  ["a plus that became a space", { issued_before: "2023-11-14T12:00:00 01:00" }, /%2B/],
  ["30 February", { issued_before: "2023-02-30T00:00:00Z" }, /^issued_before: must be a time/],
  [
    "29 February of no leap year",
    { issued_before: "2023-02-29T00:00:00Z" },
    /^issued_before: must be a time/,
  ],
  ["31 April", { issued_before: "2023-04-31T00:00:00Z" }, /^issued_before: must be a time/],
  ["month 13", { issued_before: "2023-13-01T00:00:00Z" }, /^issued_before: must be a time/],
  ["hour 25", { issued_before: "2023-11-14T25:00:00Z" }, /^issued_before: must be a time/],
  ["an offset beyond any", { issued_before: "2023-11-14T12:00:00+99:00" }, /^issued_before: must be a time/],
  [
    "a time in the future",
    { issued_before: "2123-01-01T00:00:00Z" },
    /^issued_before: must not be in the future/,
  ],
  ["a second line", { issued_before: "2023-11-14T12:00:00Z\n" }, /^issued_before: must be a time/],
  ["a caller that is no ARN", { caller: "report-service" }, /^caller: must be an ARN/],
  ["a wildcard", { caller: "*" }, /^caller: must be an ARN/],
  [
    "a wildcard in the name",
    { caller: "arn:aws:iam::111122223333:role/report-*" },
    /^caller: must be an ARN/,
  ],
  ["a question mark in the name", { caller: "arn:aws:iam::111122223333:role/report-servic?" }, /^caller: /],
  ["a wildcard for the account", { caller: "arn:aws:iam::*:role/report-service" }, /^caller: must be an ARN/],
  [
    "a session's ARN",
    { caller: "arn:aws:sts::111122223333:assumed-role/report-service/pod" },
    /^caller: must be/,
  ],
  ["a role with a path", { caller: "arn:aws:iam::111122223333:role/team/report-service" }, /without path/],
  ["an account's root", { caller: "arn:aws:iam::111122223333:root" }, /^caller: must be an ARN/],
  ["a role without a name", { caller: "arn:aws:iam::111122223333:role/" }, /^caller: must be an ARN/],
  ["a unique id", { caller: "AROAREPORTSERVICE000" }, /^caller: must be an ARN/],
  ["a trailing newline", { caller: `${role}\n` }, /^caller: must be an ARN/],
  ["two ARNs in one", { caller: `${role},${role}` }, /^caller: must be an ARN/],
  ["a lease id with a wildcard", { lease_id: "some-lease-*" }, /^lease_id: must be a lease_id/],
  ["a lease id that is too short", { lease_id: "x" }, /^lease_id: must be a lease_id/],
  ["a hash that is cut short", { token_sha256: "ab".repeat(31) }, /^token_sha256: must be the SHA-256/],
  ["a hash in upper case", { token_sha256: "AB".repeat(32) }, /^token_sha256: must be the SHA-256/],
  ["a token in the place of its hash", { token_sha256: "looker-token-1" }, /^token_sha256: must be/],
  ["all with a hash", { all: "true", token_sha256: "ab".repeat(32) }, /^all: stands alone/],
  ["a client id with a space", { client_id: "client one" }, /^client_id: must be/],
  ["a client id of a thousand letters", { client_id: "c".repeat(1_000) }, /^client_id: must be/],
])("%s: a 400 that names the field, and nothing happens", async (_, query, detail) => {
  expect(await refused(query)).toMatch(detail);
});

it.each([
  ["text for a list", { multiValueQueryStringParameters: { all: "true" } }],
  ["a number", { multiValueQueryStringParameters: { all: [true] } }],
  ["filters in single values only", { queryStringParameters: { all: "true" } }],
  ["null", { multiValueQueryStringParameters: null }],
])("an event whose query is %s: a 400", async (_, event) => {
  await refused({}, { event });
});

it("nothing of a wrong value is echoed", async () => {
  const marker = "echo-me-if-you-dare";
  for (const name of [
    "lease_id",
    "caller",
    "issued_before",
    "client_id",
    "token_sha256",
    "all",
    "dry_run",
    marker,
  ])
    expect(await refused({ [name]: ` ${marker}` })).not.toContain(marker);
});
