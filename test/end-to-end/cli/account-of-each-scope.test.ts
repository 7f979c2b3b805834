/** `looker-token account` for several scopes, before a broker that answers as it is told. */
import { expect, test } from "vitest";
import type { AccountCheck } from "../../../cli/src/account.ts";
import { FakeBroker, neverChecked } from "../../support/cli/fake-broker.ts";

const minimal: AccountCheck = {
  checked_at: "2026-11-24T10:00:00.000Z",
  client_id: "salesclient",
  user: { id: "12", display_name: "Sales API" },
  roles: [{ name: "Sales API", permissions: 4, models: 1 }],
  findings: [],
  hidden: [],
};

const tooMuch: AccountCheck = {
  ...minimal,
  roles: [
    { name: "Sales API", permissions: 1, models: 2 },
    { name: "Everything", permissions: "all", models: "all" },
  ],
  findings: [
    { code: "all_permissions", detail: "All permissions come with the role Everything.", accepted: false },
    { code: "all_models", detail: "All models come with the role Everything.", accepted: false },
    { code: "old_credential", detail: "The API credential in use is 120 days old.", accepted: true },
  ],
};

test("--all-scopes shows each scope, though one fails and gives the exit code", async () => {
  const broker = await FakeBroker.start();
  broker.accounts = { sales: tooMuch };
  broker.instead = ({ path }) =>
    path.includes("/finance/") ? { status: 403, body: { code: "not_allowed", title: "No." } } : undefined;
  const { exitCode, out, err } = await broker.cli.run("account", "--all-scopes");
  expect([exitCode, err]).toEqual([3, expect.stringContaining("finance:")]);
  expect(out).toMatch(/^sales {2}2 findings, 1 accepted\n/);
});

test("--json has the answer of each scope as it is, with exit code 0 in spite of findings", async () => {
  const broker = await FakeBroker.start();
  broker.accounts = { sales: tooMuch };
  const { exitCode, out } = await broker.cli.run("account", "--all-scopes", "--json");
  expect(exitCode).toBe(0);
  expect(JSON.parse(out)).toEqual({
    scopes: [
      { scope: "sales", ...tooMuch },
      { scope: "finance", ...neverChecked },
    ],
  });
});
