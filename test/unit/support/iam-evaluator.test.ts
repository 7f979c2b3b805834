import { describe, expect, it } from "vitest";
import type { PolicyDocument, PolicyStatement } from "../../../local/stack/policy-document.ts";
import { assertExists, decide, encryptionContextKeys, type Principal } from "../../support/iam/evaluator.ts";

const [home, abroad] = ["111122223333", "444455556666"];
const document = (...statements: Partial<PolicyStatement>[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: statements.map((statement) => ({
    Effect: "Allow",
    Action: "*",
    Resource: "*",
    ...statement,
  })),
});
const principal = (account: string, ...policies: PolicyDocument[]): Principal => ({
  roleArn: `arn:aws:iam::${account}:role/service`,
  organization: "o-example",
  policies,
});
const method = `arn:aws:execute-api:eu-central-1:${home}:a1b2c3d4e5/v1/POST/scopes/sales/token`;
const invoke = (caller: Principal | undefined, ...ofResource: Partial<PolicyStatement>[]) =>
  decide({
    principal: caller,
    action: "execute-api:Invoke",
    resource: method,
    ...(ofResource.length > 0 && { resourcePolicy: document(...ofResource) }),
  });
const anyone = { Principal: "*", Action: "execute-api:Invoke" };

describe("in the same account", () => {
  it("an Allow of either policy suffices", () => {
    expect(invoke(principal(home))).toBe("implicit deny");
    expect(invoke(principal(home, document({ Resource: method })))).toBe("allowed");
    expect(invoke(principal(home), anyone)).toBe("allowed");
  });

  it("a Deny of either wins over any Allow", () => {
    const denied = { Effect: "Deny", Action: "execute-api:Invoke" };
    expect(invoke(principal(home, document({}, denied)), anyone)).toBe("explicit deny");
    expect(invoke(principal(home, document({})), anyone, { ...anyone, ...denied })).toBe("explicit deny");
  });
});

describe("across accounts", () => {
  it("it takes an Allow of both policies", () => {
    expect(invoke(principal(abroad, document({})))).toBe("implicit deny");
    expect(invoke(principal(abroad), anyone)).toBe("implicit deny");
    expect(invoke(principal(abroad, document({})), anyone)).toBe("allowed");
  });

  it("the principal's account and organisation are known to conditions", () => {
    const to = (condition: Record<string, string>) =>
      invoke(principal(abroad, document({})), { ...anyone, Condition: { StringEquals: condition } });
    expect(to({ "aws:PrincipalAccount": abroad })).toBe("allowed");
    expect(to({ "aws:PrincipalAccount": home })).toBe("implicit deny");
    expect(to({ "aws:PrincipalOrgID": "o-example" })).toBe("allowed");
    expect(to({ "aws:PrincipalOrgID": "o-another" })).toBe("implicit deny");
  });
});

it("without a signature only a resource policy allows anything, and not by who asks", () => {
  expect(invoke(undefined)).toBe("implicit deny");
  const known = { Condition: { StringEquals: { "aws:PrincipalAccount": home } } };
  expect(invoke(undefined, { ...anyone, ...known })).toBe("implicit deny");
});

describe("a KMS key", () => {
  const key = `arn:aws:kms:eu-central-1:${home}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
  const decrypt = (
    keyPolicy: PolicyDocument,
    identity: Partial<PolicyStatement>,
    encryptionContext?: Record<string, string>,
  ) =>
    decide({
      principal: principal(home, document(identity)),
      action: "kms:Decrypt",
      resource: key,
      resourcePolicy: keyPolicy,
      context: encryptionContextKeys(encryptionContext),
    });
  const account = { Principal: { AWS: `arn:aws:iam::${home}:root` } };

  it("is opened by no identity policy unless its key policy lets the account decide", () => {
    expect(decrypt(document({ ...account, Action: "kms:PutKeyPolicy" }), {})).toBe("implicit deny");
    expect(decrypt(document({ ...account, Action: "kms:Decrypt" }), {})).toBe("allowed");
    expect(decrypt(document({ ...account, Action: "kms:Decrypt" }), { Action: "kms:Encrypt" })).toBe(
      "implicit deny",
    );
  });

  it("is bound to keys and values of an encryption context", () => {
    const bound = (context?: Record<string, string>) =>
      decrypt(
        document({ ...account }),
        {
          Condition: {
            StringEquals: { "kms:EncryptionContext:table": "slots" },
            "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["table", "scope"] },
            Null: { "kms:EncryptionContext:scope": "false" },
          },
        },
        context,
      );
    expect(bound({ table: "slots", scope: "sales" })).toBe("allowed");
    expect(bound({ table: "others", scope: "sales" })).toBe("implicit deny");
    expect(bound({ table: "slots" })).toBe("implicit deny");
    expect(bound({ table: "slots", scope: "sales", more: "x" })).toBe("implicit deny");
    expect([bound({}), bound()]).toEqual(["implicit deny", "implicit deny"]);
  });

  it("is open to a call without context where ForAllValues stands alone, as it is in AWS", () => {
    const condition = { "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["table"] } };
    expect(decrypt(document({ ...account }), { Condition: condition })).toBe("allowed");
  });
});

it("takes no policy that IAM would refuse", () => {
  const wrong = document({ Effect: "Permit" });
  expect(() => invoke(principal(home, wrong))).toThrow("Not a policy to IAM");
});

it("knows which actions there are, and on what", async () => {
  await expect(assertExists("execute-api:Invoke", method)).resolves.toBeUndefined();
  await expect(assertExists("execute-api:Invoqe", method)).rejects.toThrow();
  await expect(assertExists("dynamodb:GetItem", method)).rejects.toThrow();
});
