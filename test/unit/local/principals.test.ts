import { describe, expect, it } from "vitest";
import { parsePrincipal } from "../../../functions/domain/principal.ts";
import { localPrincipals } from "../../../local/principals.ts";
import { scopes } from "../../../local/scopes.ts";

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
      `${api}/PUT/scopes/${scope}/freeze`,
      `${api}/DELETE/scopes/${scope}/freeze`,
    ];
    expect(find("platform-engineer")?.allow).toEqual([
      `${api}/GET/scopes`,
      ...operate("sales"),
      ...operate("finance"),
    ]);
    expect(find("administrator")?.allow).toEqual([]);
  });

  it("have identities that the broker accepts, and new keys at each start", () => {
    for (const { userArn, caller, accountId, roleArn } of principals)
      expect(parsePrincipal({ userArn, caller, accountId })).toMatchObject({
        ok: true,
        principal: { callerArn: roleArn, uniqueId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/) },
      });
    const again = localPrincipals(scopes, location, { apiId: "abc", stage: "v1" });
    expect(again[0]?.caller).toBe(principals[0]?.caller);
    expect(again[0]?.secretAccessKey).not.toBe(principals[0]?.secretAccessKey);
  });
});
