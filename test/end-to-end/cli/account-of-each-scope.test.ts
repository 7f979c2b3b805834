/** `looker-token account` for several scopes, before a broker that answers as it is told. */
import { expect, test } from "vitest";
import { neverChecked, tooMuch } from "../../support/cli/account-checks.ts";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

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
