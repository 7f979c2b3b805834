import { describe, expect, it } from "vitest";
import { parsePrincipal } from "../../../functions/domain/principal.ts";
import { parseScopes } from "../../../functions/domain/scope.ts";
import { localPrincipals } from "../../../local/principals.ts";
import { scopes as definitions } from "../../../local/scopes.ts";

const scopes = parseScopes(definitions);
const location = { partition: "aws", region: "us-east-1", accountId: "111122223333" };
const principals = localPrincipals(scopes, location, { apiId: "abc", stage: "v1" });
const find = (name: string) => principals.find((principal) => principal.name === name);
const api = "arn:aws:execute-api:us-east-1:111122223333:abc/v1";

describe("the local principals", () => {
  it("are the roles that the scopes name, and an administrator", () => {
    expect(principals.map(({ name, scopes, operates }) => [name, scopes, operates])).toEqual([
      ["report-service", ["sales"], []],
      ["nightly-job", ["sales"], []],
      ["platform-engineer", [], ["sales", "finance"]],
      ["finance-service", ["finance"], []],
      ["administrator", [], []],
    ]);
  });

  it("may invoke exactly the routes of their scopes", () => {
    expect(find("finance-service")?.allow).toEqual([
      `${api}/POST/scopes/finance/token`,
      `${api}/GET/scopes`,
      `${api}/POST/scopes/finance/logout`,
    ]);
    const operate = (scope: string) => [
      `${api}/GET/scopes/${scope}/leases`,
      `${api}/DELETE/scopes/${scope}/leases`,
      `${api}/GET/scopes/${scope}/account`,
      `${api}/PUT/scopes/${scope}/freeze`,
      `${api}/DELETE/scopes/${scope}/freeze`,
      `${api}/DELETE/scopes/${scope}/denials/*`,
    ];
    expect(find("platform-engineer")?.allow).toEqual([
      `${api}/GET/scopes`,
      ...operate("sales"),
      ...operate("finance"),
    ]);
    expect(find("administrator")?.allow).toEqual([]);
  });

  it("have identities that the broker accepts, and new keys at each start", () => {
    for (const { userArn, caller, accountId, callerArn } of principals)
      expect(parsePrincipal({ userArn, caller, accountId })).toMatchObject({
        ok: true,
        principal: { callerArn, uniqueId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/) },
      });
    const again = localPrincipals(scopes, location, { apiId: "abc", stage: "v1" });
    expect(again[0]?.caller).toBe(principals[0]?.caller);
    expect(again[0]?.secretAccessKey).not.toBe(principals[0]?.secretAccessKey);
  });
});

describe("the principals of a file with patterns and several accounts", () => {
  const arn = (text: string) => `arn:aws:iam::${text}`;
  const operators = [arn("111122223333:role/platform-engineer")];
  const namesOf = (...callers: string[][]) => {
    const definition = {
      lookerUrl: "https://example.cloud.looker.com",
      secret: { secretName: "s" },
      operators,
    };
    const entries = callers.map((each, index) => [`scope-${index}`, { ...definition, callers: each }]);
    return localPrincipals(parseScopes(Object.fromEntries(entries)), location, { apiId: "abc", stage: "v1" })
      .filter(({ name }) => !["platform-engineer", "administrator"].includes(name))
      .map(({ name, callerArn, scopes }) => [name, callerArn, scopes]);
  };

  it.each([
    ["nightly-*", "nightly-example"],
    ["AWSReservedSSO_SalesAnalyst_*", "AWSReservedSSO_SalesAnalyst_example"],
    ["*-prod-*-?", "example-prod--x"],
    [`${"a".repeat(60)}*`, "a".repeat(60)],
  ])("have a name that %s matches", (pattern, name) => {
    expect(namesOf([arn(`111122223333:role/${pattern}`)])).toEqual([
      [name, arn(`111122223333:role/${name}`), ["scope-0"]],
    ]);
  });

  it("may fetch tokens of each scope with a pattern that matches them", () => {
    expect(namesOf([arn("111122223333:role/nightly-*")], [arn("111122223333:role/nightly-job")])).toEqual([
      ["nightly-example", arn("111122223333:role/nightly-example"), ["scope-0"]],
      ["nightly-job", arn("111122223333:role/nightly-job"), ["scope-0", "scope-1"]],
    ]);
  });

  it("have the account in their names where two have the same", () => {
    const callers = [
      "111122223333:role/reports",
      "777788889999:role/reports",
      "777788889999:role/administrator",
    ];
    expect(namesOf(callers.map(arn)).map(([name]) => name)).toEqual([
      "reports@111122223333",
      "reports@777788889999",
      "administrator@777788889999",
    ]);
  });

  it("are users where the file names users", () => {
    const scopes = parseScopes({
      sales: {
        lookerUrl: "https://example.cloud.looker.com",
        secret: { secretName: "s" },
        callers: [arn("777788889999:user/alice")],
        operators,
      },
    });
    const [alice] = localPrincipals(scopes, location, { apiId: "abc", stage: "v1" });
    expect(parsePrincipal({ ...alice })).toMatchObject({
      ok: true,
      principal: { kind: "user", account: "777788889999", callerArn: alice?.callerArn },
    });
  });
});
