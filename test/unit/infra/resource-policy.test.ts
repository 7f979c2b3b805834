import { describe, expect, it } from "vitest";
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";
import type { BrokerSettings } from "../../../infra/stack.ts";
import {
  account,
  region,
  type Statement,
  scopeOf,
  synthesizedHere,
  threeScopes,
} from "../../support/synthesized.ts";

const foreign = (id: string): ScopeDefinitions => ({
  ...threeScopes,
  shared: scopeOf({ secretName: "looker/shared" }, { callers: [`arn:aws:iam::${id}:role/service`] }),
});
const manyScopes = (accountsEach: number): ScopeDefinitions =>
  Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [
      `scope-${index}`,
      scopeOf(
        { secretName: `looker/scope-${index}` },
        {
          callers: Array.from(
            { length: accountsEach },
            (_, of) => `arn:aws:iam::${String(200_000_000_000 + index * 10 + of)}:role/service`,
          ),
        },
      ),
    ]),
  );

function policyOf(scopes: ScopeDefinitions, settings: ReturnType<BrokerSettings> = {}) {
  const { one } = synthesizedHere({ scopes, settings: () => settings });
  const document: { Statement: Statement[] } = one("AWS::ApiGateway::RestApi")[1].Properties.Policy;
  return document;
}

describe("the API's resource policy", () => {
  it("denies other accounts where all callers are of the own: an Allow for that would undo the first lock", () => {
    expect(policyOf(threeScopes).Statement).toEqual([
      {
        Sid: "DenyOtherAccounts",
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "execute-api:Invoke",
        Resource: "execute-api:/*",
        Condition: { StringNotEquals: { "aws:PrincipalAccount": { Ref: "AWS::AccountId" } } },
      },
    ]);
  });

  it("allows other accounts that a scope names, never its own", () => {
    expect(policyOf(foreign("777788889999")).Statement).toEqual([
      {
        Sid: "AllowOtherAccounts",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: "execute-api:Invoke",
        Resource: "execute-api:/*",
        Condition: {
          StringEquals: { "aws:PrincipalAccount": ["777788889999"] },
          StringNotEquals: { "aws:PrincipalAccount": { Ref: "AWS::AccountId" } },
        },
      },
    ]);
  });

  it("never allows its own account, also where that is known at deployment only", () => {
    const { one } = synthesizedHere({ scopes: foreign("777788889999"), env: { region } });
    const statements: Statement[] = one("AWS::ApiGateway::RestApi")[1].Properties.Policy.Statement;
    expect(statements.map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { "aws:PrincipalAccount": [account, "777788889999"] },
        StringNotEquals: { "aws:PrincipalAccount": { Ref: "AWS::AccountId" } },
      },
    ]);
  });

  it("denies whoever is outside of the organisation, and names no account then", () => {
    const statements = policyOf(foreign("777788889999"), { organizationId: "o-a1b2c3d4e5" }).Statement;
    expect(statements.map(({ Effect, Condition }) => [Effect, Condition])).toEqual([
      ["Deny", { StringNotEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } }],
      [
        "Allow",
        {
          StringEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" },
          StringNotEquals: { "aws:PrincipalAccount": { Ref: "AWS::AccountId" } },
        },
      ],
    ]);
  });

  it("denies whatever comes by another way than its VPC endpoints when it is private, and allows nobody for that", () => {
    const { one } = synthesizedHere({
      settings: () => ({ vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718", "vpce-0123456789abcdef0"] }),
    });
    const { Properties } = one("AWS::ApiGateway::RestApi")[1];
    expect(Properties.EndpointConfiguration).toEqual({ IpAddressType: "dualstack", Types: ["PRIVATE"] });
    expect(Properties.Policy.Statement).toEqual([
      expect.objectContaining({
        Effect: "Deny",
        Principal: { AWS: "*" },
        Condition: {
          StringNotEquals: { "aws:SourceVpce": ["vpce-0a1b2c3d4e5f60718", "vpce-0123456789abcdef0"] },
        },
      }),
      expect.objectContaining({ Sid: "DenyOtherAccounts" }),
    ]);
  });

  it("fits into API Gateway's 8 KB with 200 scopes that each have callers of another account", () => {
    const settings = { vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"] };
    expect(JSON.stringify(policyOf(manyScopes(1), settings)).length).toBeLessThan(8192);
    expect(
      JSON.stringify(policyOf(manyScopes(5), { ...settings, organizationId: "o-a1b2c3d4e5" })).length,
    ).toBeLessThan(8192);
  }, 60_000);

  it("says what to do when there are too many accounts for it", () => {
    expect(() => policyOf(manyScopes(5))).toThrow(/more than API Gateway's 8192.*Set organizationId/);
  });

  it("redeploys the stage when it changes, without which API Gateway would go on with the old one", () => {
    const deployment = (settings: ReturnType<BrokerSettings>) =>
      synthesizedHere({ settings: () => settings }).one("AWS::ApiGateway::Deployment")[0];
    const before = deployment({ organizationId: "o-a1b2c3d4e5" });
    expect(deployment({ organizationId: "o-a1b2c3d4e5" })).toBe(before);
    expect(deployment({ organizationId: "o-aaaaaaaaaa" })).not.toBe(before);
    expect(deployment({})).not.toBe(before);
  });
});
