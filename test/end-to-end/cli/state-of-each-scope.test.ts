import { beforeEach, expect, test } from "vitest";
import { neverChecked } from "../../support/cli/account-checks.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
});

const withFindings = (...accepted: boolean[]) => ({
  ...neverChecked,
  checked_at: "2026-11-24T10:00:00.000Z",
  findings: accepted.map((each) => ({ code: "old_credential", detail: "Old.", accepted: each })),
});

const plainTable = `\
SCOPE    MAY      LEASE   LOOKER
sales    operate  15m 0s  https://l
finance  operate  15m 0s  https://l
`;

test("an operator of a scope with findings reads of them above the table", async () => {
  broker.accounts = { sales: withFindings(false, true, false) };
  expect(await broker.cli.run("scopes")).toEqual({
    exitCode: 0,
    err: "",
    out: `\
account    sales: 2 findings (old_credential, old_credential)
           looker-token account --scope sales
${plainTable}`,
  });
});

test("a frozen scope does not look like an ordinary one", async () => {
  const frozen = {
    by: "arn:aws:iam::111122223333:role/ops",
    at: "2026-11-24T12:00:00Z",
    reason: "incident 42",
  };
  broker.instead = ({ path }) =>
    path.includes("/sales/") ? { status: 200, body: { leases: [], frozen } } : undefined;
  expect((await broker.cli.run("scopes")).out).toBe(`\
frozen     sales, by arn:aws:iam::111122223333:role/ops at 2026-11-24T12:00:00Z:
           incident 42
SCOPE    MAY      LEASE   STATE   LOOKER
sales    operate  15m 0s  frozen  https://l
finance  operate  15m 0s  -       https://l
`);
});

test("the first page of a scope's leases is enough", async () => {
  broker.instead = ({ path }) =>
    path.includes("/leases") ? { status: 200, body: { leases: [], next_token: "more" } } : undefined;
  await broker.cli.run("scopes");
  expect(broker.asked("GET").slice(1).sort()).toEqual([
    "GET /scopes/finance/leases",
    "GET /scopes/sales/leases",
  ]);
});

test("without open findings there is no line above", async () => {
  broker.accounts = { sales: withFindings(), finance: withFindings(true) };
  expect((await broker.cli.run("scopes")).out).toBe(plainTable);
});

test.each([
  ["an IAM policy that does not allow it", { status: 403, body: { Message: "User is not authorized" } }],
  ["a broker without the route", { status: 403, body: { message: "Missing Authentication Token" } }],
  ["an answer of another shape", { status: 200, body: {} }],
  ["no answer at all", "silence"],
] as const)("%s in each scope leaves the table as it is", async (_, reply) => {
  broker.accounts = { sales: withFindings(false) };
  broker.instead = ({ path }) => (path.endsWith("/leases") ? reply : undefined);
  expect(await broker.cli.run("scopes")).toEqual({ exitCode: 0, err: "", out: plainTable });
});

test("a failure in one scope leaves the findings of another", async () => {
  broker.accounts = { sales: withFindings(false), finance: withFindings(false) };
  broker.instead = ({ path }) => (path.includes("/finance/") ? { status: 403 } : undefined);
  const { out } = await broker.cli.run("scopes");
  expect(out).toMatch(/^account {4}sales: 1 finding /);
  expect(out).not.toContain("finance:");
});

test("a caller without scopes to operate asks nothing more", async () => {
  const grant = { scope: "sales", base_url: "https://l", lease_seconds: 900, may: ["token"] };
  broker.instead = () => ({ status: 200, body: { caller: { arn: "arn" }, scopes: [grant] } });
  await broker.cli.run("scopes");
  expect(broker.asked("GET")).toEqual(["GET /scopes"]);
});

test("--json is the broker's list alone", async () => {
  broker.accounts = { sales: withFindings(false) };
  const { out } = await broker.cli.run("scopes", "--json");
  expect(Object.keys(JSON.parse(out).scopes[0])).toEqual(["scope", "base_url", "lease_seconds", "may"]);
  expect(broker.asked("GET")).toEqual(["GET /scopes"]);
});
