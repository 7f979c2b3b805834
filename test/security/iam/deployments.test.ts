/** What some deployments need beside the usual: keys of customers, many scopes, a VPC. */
import type { Stack } from "aws-cdk-lib";
import { SecurityGroup, Vpc } from "aws-cdk-lib/aws-ec2";
import { describe, expect, it } from "vitest";
import type { LocalStack } from "../../../local/stack/template.ts";
import { decide, encryptionContextKeys } from "../../support/iam/evaluator.ts";
import { defaultKeyPolicy } from "../../support/iam/policies.ts";
import { arn, functionNamed, location, resolved, roleOf, scopes } from "../../support/iam/resolved.ts";

const roleOfFunction = (name: string, stack: LocalStack) => roleOf(functionNamed(name, stack).roleArn, stack);
const secretArn = (name: string) => arn("secretsmanager", `secret:${name}-a1B2c3`);

describe("secrets under a customer managed key", () => {
  const encryptionKeyArn = arn("kms", "key/11111111-1111-4111-8111-111111111111");
  const { stack } = resolved({
    scopes: Object.fromEntries(
      Object.entries(scopes).map(([name, { secret, ...definition }]) => [
        name,
        { ...definition, secret: { ...secret, encryptionKeyArn } },
      ]),
    ),
  });
  const decrypt = (functionName: string, via: string, secretName: string) =>
    decide({
      principal: roleOfFunction(functionName, stack),
      action: "kms:Decrypt",
      resource: encryptionKeyArn,
      resourcePolicy: defaultKeyPolicy(location.accountId),
      // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
      context: {
        ...encryptionContextKeys({ SecretARN: secretArn(secretName), SecretVersionId: "v1" }),
        ...(via && { "kms:ViaService": via }),
      },
    });
  const secretsManager = `secretsmanager.${location.region}.amazonaws.com`;

  it("are decrypted for issue-token through Secrets Manager, if a scope names them", () => {
    expect(decrypt("issue-token", secretsManager, "looker/sales")).toBe("allowed");
    expect(decrypt("issue-token", secretsManager, "looker/finance")).toBe("allowed");
    expect(decrypt("issue-token", secretsManager, "looker/sales-admin")).toBe("implicit deny");
    expect(decrypt("issue-token", `s3.${location.region}.amazonaws.com`, "looker/sales")).toBe(
      "implicit deny",
    );
    expect(decrypt("issue-token", "", "looker/sales")).toBe("implicit deny");
  });

  it.each(["logout", "operate", "sweep"])("are not decrypted for %s", (name) => {
    expect(decrypt(name, secretsManager, "looker/sales")).toBe("implicit deny");
  });
});

describe("one secret of several scopes", () => {
  const keys = ["1", "2"].map((digit) => arn("kms", `key/${digit.repeat(8)}-1111-4111-8111-111111111111`));
  const shared = (...encryptionKeyArns: (string | undefined)[]) =>
    resolved({
      scopes: Object.fromEntries(
        encryptionKeyArns.map((encryptionKeyArn, index) => [
          `scope-${index}`,
          {
            ...scopes.sales,
            secret: { secretName: "looker/sales", ...(encryptionKeyArn && { encryptionKeyArn }) },
          },
        ]),
      ),
    }).stack;
  const decryptable = (stack: LocalStack) =>
    keys.filter(
      (resource) =>
        decide({
          principal: roleOfFunction("issue-token", stack),
          action: "kms:Decrypt",
          resource,
          resourcePolicy: defaultKeyPolicy(location.accountId),
          context: {
            ...encryptionContextKeys({ SecretARN: secretArn("looker/sales"), SecretVersionId: "v1" }),
            "kms:ViaService": `secretsmanager.${location.region}.amazonaws.com`,
          },
        }) === "allowed",
    );

  it("is decrypted still when a scope is added that does not name its key, before or after", () => {
    expect(decryptable(shared(keys[0]))).toEqual([keys[0]]);
    expect(decryptable(shared(keys[0], undefined))).toEqual([keys[0]]);
    expect(decryptable(shared(undefined, keys[0]))).toEqual([keys[0]]);
  });

  it("is decrypted by no second key: scopes that name two are refused", () => {
    expect(() => shared(keys[0], keys[1])).toThrow(/encryptionKeyArn: .* A secret has one key/);
  });

  it("is decrypted by no key that none names", () => {
    expect(decryptable(shared(undefined, undefined))).toEqual([]);
  });
});

it("each secret is issue-token's to read, and no other, where one policy cannot name them all", () => {
  const names = Array.from({ length: 60 }, (_, index) => `looker/${"department-".repeat(4)}${index}`);
  const { stack, resources } = resolved({
    scopes: Object.fromEntries(
      names.map((secretName, index) => [`scope-${index}`, { ...scopes.sales, secret: { secretName } }]),
    ),
  });
  const principal = roleOfFunction("issue-token", stack);
  const readable = [...names, "looker/another"].filter((name) => {
    const request = { principal, action: "secretsmanager:GetSecretValue", resource: secretArn(name) };
    return decide(request) === "allowed";
  });
  expect(readable).toEqual(names);
  expect(resources.filter(({ type }) => type === "AWS::IAM::ManagedPolicy").length).toBeGreaterThan(1);
});

describe("functions in a VPC", () => {
  const network = (stack: Stack) => ({
    vpc: Vpc.fromVpcAttributes(stack, "Vpc", {
      vpcId: "vpc-0a1b2c3d",
      availabilityZones: ["eu-central-1a"],
      privateSubnetIds: ["subnet-0a1b2c3d"],
      privateSubnetRouteTableIds: ["rtb-0a1b2c3d"],
    }),
    securityGroups: [SecurityGroup.fromSecurityGroupId(stack, "Group", "sg-0a1b2c3d")],
  });
  const { stack: inside } = resolved({ settings: network });
  const makeInterface = (name: string, context: Record<string, string> = {}) =>
    decide({
      principal: roleOfFunction(name, inside),
      action: "ec2:CreateNetworkInterface",
      resource: "*",
      context,
    });

  it.each(["issue-token", "logout", "operate", "sweep"])(
    "have network interfaces made by Lambda for %s, whose own code cannot",
    (name) => {
      expect(makeInterface(name)).toBe("allowed");
      const byItsCode = { "lambda:SourceFunctionArn": functionNamed(name, inside).arn };
      expect(makeInterface(name, byItsCode)).toBe("explicit deny");
    },
  );
});
