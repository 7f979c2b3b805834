import { Aspects, CfnResource, type IAspect, Tags } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import type { IConstruct } from "constructs";
import { describe, expect, it } from "vitest";
import type { BrokerSettings, TokenBrokerStack } from "../../../infra/stack.ts";
import { TokenBroker } from "../../../infra/token-broker.ts";
import { scopeOf, synthesizedHere, threeScopes } from "../../support/synthesized.ts";

describe("settings that AWS would refuse half-way, or worse, take", () => {
  const certificate: BrokerSettings = (stack) => ({
    vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"],
    domain: {
      domainName: "looker-tokens.example.com",
      certificate: Certificate.fromCertificateArn(
        stack,
        "Certificate",
        "arn:aws:acm:eu-central-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
      ),
    },
  });
  it.each<[string, BrokerSettings, RegExp]>([
    ["an organisation's name", () => ({ organizationId: "example" }), /organizationId: "example" is not/],
    ["no VPC endpoint at all", () => ({ vpcEndpointIds: [] }), /vpcEndpointIds: nobody could reach the API/],
    ["a VPC for a VPC endpoint", () => ({ vpcEndpointIds: ["vpc-1234"] }), /"vpc-1234" is not the id/],
    ["a private API with a domain", certificate, /domain: is for the regional API/],
    ["break glass for everybody", () => ({ breakGlassArns: ["*"] }), /breakGlassArns: "\*" does not name/],
    [
      "break glass for a whole account",
      () => ({ breakGlassArns: ["arn:aws:iam::111122223333:role/*"] }),
      /breakGlassArns: .* does not name/,
    ],
    [
      "break glass for a role of another account, which the table allows nothing",
      () => ({ breakGlassArns: ["arn:aws:iam::444455556666:role/break-glass"] }),
      /breakGlassArns: .* is not of the broker's account 111122223333/,
    ],
    [
      "an alarm at no login",
      () => ({ alarms: { mintsPerFiveMinutes: 0 } }),
      /alarms\.mintsPerFiveMinutes: must/,
    ],
    [
      "an alarm at part of a call",
      () => ({ alarms: { deniedCallsPerFiveMinutes: 1.5 } }),
      /alarms\.denied.*: must/,
    ],
    [
      "a runbook with an entry in its address",
      () => ({ runbookUrl: "https://git.example.com/#x" }),
      /runbookUrl: must/,
    ],
    [
      "a runbook with a longer address than an alarm can tell",
      () => ({ runbookUrl: "x".repeat(401) }),
      /runbookUrl: must/,
    ],
    ["too little memory", () => ({ memorySize: 128 }), /memorySize: must be .* from 256 to 10240/],
  ])("are refused: %s", (_, settings, message) => {
    expect(() => synthesizedHere({ settings })).toThrow(message);
  });

  it("are all told at once", () => {
    const settings: BrokerSettings = () => ({ organizationId: "x", breakGlassArns: ["*"] });
    expect(() => synthesizedHere({ settings })).toThrow(/organizationId.*breakGlassArns/s);
  });

  it.each([
    ["longer than an alarm's dimension may be", "x".repeat(240)],
    ["not what a metric's dimension may hold", "Bröker"],
    ["not what the dashboard's search may hold", "it's"],
  ])("are refused when the construct's path is %s", (_, id) => {
    const prepare = (stack: TokenBrokerStack) => {
      new TokenBroker(stack, id, { scopes: threeScopes });
    };
    expect(() => synthesizedHere({ prepare })).toThrow(
      /the construct's path .* is the broker's name in metrics/,
    );
  });

  it("are refused when a secret lies in another region than the functions that read it", () => {
    const secretArn = "arn:aws:secretsmanager:us-east-1:444455556666:secret:looker/far-a1B2c3";
    expect(() => synthesizedHere({ scopes: { far: scopeOf({ secretArn }) } })).toThrow(
      /scope "far": secret\.secretArn: is in us-east-1; functions in eu-central-1/,
    );
  });
});

/** docs/how-to/deploy.md, "What your account demands", shows each of these. */
describe("what an account demands is met by CDK's own means", () => {
  it("a permissions boundary on every role", () => {
    const { ofType } = synthesizedHere({
      context: { "@aws-cdk/core:permissionsBoundary": { name: "developer-boundary" } },
    });
    for (const [, { Properties }] of ofType("AWS::IAM::Role"))
      expect(JSON.stringify(Properties.PermissionsBoundary)).toContain(":policy/developer-boundary");
  });

  it("a prefix of every role's name", () => {
    class PrefixRoles implements IAspect {
      visit(node: IConstruct) {
        if (node instanceof CfnRole) node.roleName = `app-${node.node.addr.slice(-16)}`;
      }
    }
    const { ofType } = synthesizedHere({ prepare: (stack) => Aspects.of(stack).add(new PrefixRoles()) });
    const names = ofType("AWS::IAM::Role").map(([, { Properties }]) => Properties.RoleName);
    expect(new Set(names).size).toBe(5);
    for (const name of names) expect(name).toMatch(/^app-/);
  });

  it("tags on all that takes tags", () => {
    const { ofType } = synthesizedHere({ prepare: (stack) => Tags.of(stack).add("team", "data") });
    for (const type of ["AWS::IAM::Role", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::KMS::Key"])
      for (const [, { Properties }] of ofType(type))
        expect(Properties.Tags).toContainEqual({ Key: "team", Value: "data" });
  });

  it("another bootstrap qualifier", () => {
    const { stack } = synthesizedHere({ context: { "@aws-cdk/core:bootstrapQualifier": "mine" } });
    expect(stack.synthesizer.bootstrapQualifier).toBe("mine");
  });
});

it("has no resource outside of the construct and what is handed out", () => {
  const { stack } = synthesizedHere();
  const outside = stack.node
    .findAll()
    .filter((each) => CfnResource.isCfnResource(each))
    .map(({ node }) => node.path.split("/")[1])
    .filter((part) => part !== "Broker" && part !== "Scope");
  expect(outside).toEqual([]);
});
