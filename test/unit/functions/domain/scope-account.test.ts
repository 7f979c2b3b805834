import { describe, expect, it } from "vitest";
import { findingCodes } from "../../../../functions/domain/finding.ts";
import { parseScopes, type ScopeDefinition, ScopesError } from "../../../../functions/domain/scope.ts";
import type { AccountDefinition } from "../../../../functions/domain/scope-account.ts";

const definition = (account?: unknown): ScopeDefinition => ({
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: "looker/sales" },
  callers: ["arn:aws:iam::111122223333:role/report-service"],
  operators: ["arn:aws:iam::111122223333:role/oncall"],
  ...(account === undefined ? {} : { account: account as AccountDefinition }),
});
const accountOf = (account?: unknown) => parseScopes({ sales: definition(account) }).get("sales")?.account;

function errorsOf(account: unknown): readonly string[] {
  try {
    accountOf(account);
    return [];
  } catch (error) {
    if (error instanceof ScopesError) return error.errors;
    throw error;
  }
}

describe("the rights of a scope's service account", () => {
  it.each<[AccountDefinition]>([
    [{}],
    [{ permissions: [], models: [] }],
    [{ permissions: ["access_data", "see_lookml_dashboards"] }],
    [{ models: ["sales", "sales_2", "block-x", "system__activity"] }],
    [{ accept: [...findingCodes] }],
    [{ permissions: ["access_data"], models: ["a".repeat(255)], accept: ["old_credential"] }],
  ])("%o are read as they are written", (account) => {
    expect(accountOf(account)).toEqual(account);
  });

  it("are unknown where none are written", () => {
    expect(accountOf()).toBeUndefined();
  });

  const wants = 'must be an object like { permissions: ["access_data"], models: ["sales"] }';
  it.each<[unknown, string]>([
    [null, `: ${wants}`],
    [["access_data"], `: ${wants}`],
    ["access_data", `: ${wants}`],
    [{ permission: [] }, ".permission: is not a field. The fields are permissions, models, accept"],
    [{ permissions: "access_data" }, ".permissions: must be a list of Looker permissions"],
    [{ permissions: null }, ".permissions: must be a list of Looker permissions"],
    [{ permissions: [null] }, ".permissions: must be a list of Looker permissions"],
    // biome-ignore lint/suspicious/noSparseArray: the mistake that is meant.
    [{ permissions: [, "access_data"] }, ".permissions: must be a list of Looker permissions"],
    [{ permissions: ["access data"] }, '.permissions: "access data" is no name of a Looker permission'],
    [
      { permissions: ["see_looks", "access_data\n"] },
      String.raw`.permissions: "access_data\n" is no name of a Looker permission`,
    ],
    [{ models: [""] }, '.models: "" is no name of a LookML model'],
    [{ models: ["a".repeat(256)] }, `.models: "${"a".repeat(256)}" is no name of a LookML model`],
    [{ models: { sales: true } }, ".models: must be a list of names of LookML models"],
    [{ accept: ["admin"] }, `.accept: "admin" is no finding. The findings are ${findingCodes.join(", ")}`],
    [{ accept: [["admin_account"]] }, `.accept: must be a list of findings: ${findingCodes.join(", ")}`],
    [{ accept: "admin_account" }, `.accept: must be a list of findings: ${findingCodes.join(", ")}`],
  ])("%o is refused, with its field", (account, message) => {
    expect(errorsOf(account)).toEqual([`scope "sales": account${message}`]);
  });
});
