import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { painter } from "../../src/colour.ts";
import { listingText } from "../../src/commands/leases.ts";
import type { ListedLease } from "../../src/listing.ts";

const plain = painter({}, {});
const colourful = painter({ isTTY: true }, {});
const now = Date.parse("2026-11-24T13:00:00Z");

const lease = (more: Partial<ListedLease>): ListedLease => ({
  lease_id: "8ae67a142e19b6ce3e1e",
  caller: "arn:aws:iam::111122223333:role/report-service",
  unique_id: "AROAREPORT",
  state: "live",
  issued_at: "2026-11-24T12:58:00Z",
  ends_at: "2026-11-24T13:13:00Z",
  token_ends_at: "2026-11-24T13:58:13Z",
  client_id: "salesclient",
  ...more,
});

const sales = {
  scope: "sales",
  leases: [
    lease({}),
    lease({
      caller: "arn:aws:iam::111122223333:user/ann",
      lease_id: null,
      state: "minting",
      ends_at: null,
      token_ends_at: null,
      client_id: null,
    }),
    lease({
      lease_id: "older",
      state: "superseded",
      issued_at: "2026-11-24T12:46:00Z",
      ends_at: "2026-11-24T13:01:00Z",
      token_ends_at: "2026-11-24T13:46:13Z",
    }),
    lease({
      lease_id: "revoked",
      state: "pending",
      issued_at: "2026-11-24T12:50:00Z",
      ends_at: "2026-11-24T13:05:00Z",
      token_ends_at: "2026-11-24T13:50:13Z",
    }),
  ],
};

test("each lease has a line with the youngest last, and a replaced or revoked token remains until its end at Looker", () => {
  expect(listingText([sales], now, { paint: plain })).toBe(`\
CALLER                                         LEASE                 STATE       AGE     REMAINING  CREDENTIAL
arn:aws:iam::111122223333:role/report-service  older                 superseded  14m 0s  46m 13s    salesclient
arn:aws:iam::111122223333:role/report-service  revoked               pending     10m 0s  50m 13s    salesclient
arn:aws:iam::111122223333:role/report-service  8ae67a142e19b6ce3e1e  live        2m 0s   13m 0s     salesclient
arn:aws:iam::111122223333:user/ann             -                     minting     2m 0s   -          -
`);
});

test("on a narrow terminal each caller has a line above its leases, and no line is wider than the terminal", () => {
  const text = listingText([sales], now, { paint: plain, width: 80 });
  expect(text).toBe(`\
CALLER
  LEASE                 STATE       AGE     REMAINING  CREDENTIAL
arn:aws:iam::111122223333:role/report-service
  older                 superseded  14m 0s  46m 13s    salesclient
  revoked               pending     10m 0s  50m 13s    salesclient
  8ae67a142e19b6ce3e1e  live        2m 0s   13m 0s     salesclient
arn:aws:iam::111122223333:user/ann
  -                     minting     2m 0s   -          -
`);
});

test("a terminal that is wide enough has one line for each lease", () => {
  expect(listingText([sales], now, { paint: plain, width: 200 })).toBe(
    listingText([sales], now, { paint: plain }),
  );
});

test("colours do not move the columns", () => {
  const text = listingText([sales], now, { paint: colourful });
  expect(text).toContain("\x1b[32mlive\x1b[39m");
  expect(stripVTControlCharacters(text)).toBe(listingText([sales], now, { paint: plain }));
});

test("a freeze stands above, with who and why, and an empty scope says so", () => {
  const frozen = {
    by: "arn:aws:iam::111122223333:role/ops",
    at: "2026-11-24T12:00:00Z",
    reason: "incident 42",
  };
  expect(listingText([{ scope: "sales", frozen, leases: [] }], now, { paint: plain })).toBe(`\
frozen     sales, by arn:aws:iam::111122223333:role/ops at 2026-11-24T12:00:00Z:
           incident 42
No leases in sales.
`);
});

test("several scopes have a column for the scope", () => {
  expect(listingText([sales, { scope: "finance", leases: [lease({})] }], now, { paint: plain })).toMatch(
    /^SCOPE {4}CALLER.*\nsales .*/,
  );
  // One of several may have failed.
  expect(listingText([sales], now, { paint: plain, several: true })).toMatch(/^SCOPE {2}CALLER.*\nsales .*/);
});

test.each([
  ["a pipe", {}, {}],
  ["a terminal where NO_COLOR is set", { isTTY: true }, { NO_COLOR: "1" }],
  ["a dumb terminal", { isTTY: true }, { TERM: "dumb" }],
])("no colour in %s", (_, stream, environment) => {
  expect(painter(stream, environment)("red", "text")).toBe("text");
});

test("sessions have a column where somebody has one, behind the lease that the caller's processes share", () => {
  const ofSessions = {
    scope: "sales",
    leases: [
      lease({ lease_id: "b", session: "nightly" }),
      lease({ lease_id: "a", session: "exec-1f" }),
      lease({ lease_id: "c", session: null }),
    ],
  };
  expect(listingText([ofSessions], now, { paint: plain })).toBe(`\
CALLER                                         SESSION  LEASE  STATE  AGE    REMAINING  CREDENTIAL
arn:aws:iam::111122223333:role/report-service  -        c      live   2m 0s  13m 0s     salesclient
arn:aws:iam::111122223333:role/report-service  exec-1f  a      live   2m 0s  13m 0s     salesclient
arn:aws:iam::111122223333:role/report-service  nightly  b      live   2m 0s  13m 0s     salesclient
`);
});

test("open findings about the service account stand above, with a command for the details", () => {
  const account = { checked_at: "2026-11-24T10:00:00Z", findings: ["admin_account", "old_credential"] };
  const clean = { checked_at: "2026-11-24T10:00:00Z", findings: [] };
  const text = listingText(
    [
      { scope: "sales", account, leases: [] },
      { scope: "finance", account: clean, leases: [] },
    ],
    now,
    { paint: plain },
  );
  expect(text).toBe(`\
account    sales: 2 findings (admin_account, old_credential)
           looker-token account --scope sales
No leases in sales, finance.
`);
});

test("the lease of the broker's own check is not shown as an IAM role", () => {
  const check = lease({
    caller: "arn:aws:iam::000000000000:role/check-account",
    unique_id: "CHECKACCOUNT",
    lease_id: "c",
  });
  expect(listingText([{ scope: "sales", leases: [check] }], now, { paint: plain })).toBe(`\
CALLER                  LEASE  STATE  AGE    REMAINING  CREDENTIAL
broker's account check  c      live   2m 0s  13m 0s     salesclient
`);
});

test("a role with the check's name is shown by its ARN", () => {
  const impostor = lease({ caller: "arn:aws:iam::111122223333:role/check-account" });
  expect(listingText([{ scope: "sales", leases: [impostor] }], now, { paint: plain })).toContain(
    impostor.caller,
  );
});
