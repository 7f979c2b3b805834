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

test("an operator of a scope with findings has a column for them", async () => {
  broker.accounts = { sales: withFindings(false, true, false) };
  expect(await broker.cli.run("scopes")).toEqual({
    exitCode: 0,
    err: "",
    out: `\
SCOPE    MAY      LEASE   LOOKER     ACCOUNT
sales    operate  15m 0s  https://l  2 findings
finance  operate  15m 0s  https://l  -
`,
  });
});

test("without open findings there is no column", async () => {
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
  broker.instead = ({ path }) => (path.endsWith("/account") ? reply : undefined);
  expect(await broker.cli.run("scopes")).toEqual({ exitCode: 0, err: "", out: plainTable });
});

test("a failure in one scope leaves the findings of another", async () => {
  broker.accounts = { sales: withFindings(false), finance: withFindings(false) };
  broker.instead = ({ path }) => (path.includes("/finance/") ? { status: 403 } : undefined);
  expect((await broker.cli.run("scopes")).out).toMatch(/^sales .* 1 finding\nfinance .* -$/m);
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
