import { inspect } from "node:util";
import { App, Aspects, CfnResource, Fn, type IAspect, Stack, Stage, Tags } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IConstruct } from "constructs";
import { describe, expect, it } from "vitest";
import { Guard } from "../../../infra/guard.ts";
import type { BrokerSettings, TokenBrokerStack } from "../../../infra/stack.ts";
import { TokenBroker } from "../../../infra/token-broker.ts";
import { linesOf, scopeOf, secretArn, synthesizedHere, threeScopes } from "../../support/synthesized.ts";

const days = Object.values(RetentionDays).filter((value) => typeof value === "number");

const certificateArn =
  "arn:aws:acm:eu-central-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab";

/** The lines about a file's settings, of any type. */
function linesAbout(settings: (stack: Stack) => unknown): string[] {
  return linesOf(() => synthesizedHere({ settings: settings as BrokerSettings }));
}

describe("settings that AWS would refuse half-way, or worse, take", () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      "an organisation's name",
      { organizationId: "example" },
      'organizationId: "example" is not an organisation\'s id, like "o-a1b2c3d4e5"',
    ],
    [
      "no VPC endpoint at all",
      { vpcEndpointIds: [] },
      "vpcEndpointIds: nobody could reach the API: name an endpoint",
    ],
    [
      "a VPC for a VPC endpoint",
      { vpcEndpointIds: ["vpc-1234"] },
      'vpcEndpointIds: "vpc-1234" is not the id of a VPC endpoint, like "vpce-0a1b2c3d4e5f60718"',
    ],
    [
      "break glass for everybody",
      { breakGlassArns: ["*"] },
      'breakGlassArns: "*" is not the ARN of an IAM role or user of one account',
    ],
    [
      "break glass for a whole account",
      { breakGlassArns: ["arn:aws:iam::111122223333:role/*"] },
      'breakGlassArns: "arn:aws:iam::111122223333:role/*" is not the ARN of an IAM role or user of one account',
    ],
    [
      "break glass for a role of another account",
      { breakGlassArns: ["arn:aws:iam::444455556666:role/break-glass"] },
      'breakGlassArns: "arn:aws:iam::444455556666:role/break-glass" is not of the broker\'s account 111122223333',
    ],
    [
      "an alarm at no login",
      { alarms: { mintsPerFiveMinutes: 0 } },
      "alarms.mintsPerFiveMinutes: must be a whole number above 0, not 0",
    ],
    [
      "an alarm at part of a call",
      { alarms: { deniedCallsPerFiveMinutes: 1.5 } },
      "alarms.deniedCallsPerFiveMinutes: must be a whole number above 0, not 1.5",
    ],
    [
      "a runbook with an entry in its address",
      { runbookUrl: "https://git.example.com/#x" },
      'runbookUrl: "https://git.example.com/#x" is not an address of at most 400 characters without spaces and #: an alarm appends # and an entry\'s name',
    ],
    [
      "too little memory",
      { memorySize: 128 },
      "memorySize: must be a whole number of MB from 256 to 10240, not 128",
    ],
    [
      "a day too many of logs",
      { logRetention: 4 },
      `logRetention: must be ${days.slice(0, -1).join(", ")} or ${days.at(-1)}, not 4`,
    ],
    [
      "an operators' function without concurrency",
      { reservedConcurrency: { operate: 0 } },
      "reservedConcurrency.operate: must be a whole number above 0, not 0",
    ],
    [
      "subnets of no VPC",
      { vpcSubnets: { onePerAz: true } },
      "vpcSubnets: needs a vpc, because functions are outside of any by default",
    ],
    [
      "no security group, which the CDK would replace by an open one",
      { securityGroups: [], vpc: { vpcId: "vpc-1" } },
      "securityGroups: functions in a VPC need one: leave the setting out to get one",
    ],
    [
      "a topic's ARN",
      { alarmTopic: "arn:aws:sns:eu-central-1:111122223333:on-call" },
      'alarmTopic: must be an object of the CDK, like Topic.fromTopicArn(…), not "arn:aws:sns:eu-central-1:111122223333:on-call"',
    ],
    [
      "news for nobody",
      { tellOfPolicyChanges: true },
      "tellOfPolicyChanges: needs an alarmTopic: without one nobody would be told",
    ],
    [
      "a guard against all deployments",
      { guard: { pipelineArns: [] } },
      "guard.pipelineArns: the guard would let nobody deploy: name a role",
    ],
  ])("are refused: %s", (_, settings, line) => {
    expect(linesAbout(() => settings)).toEqual([line]);
  });

  it("are refused: a runbook with a longer address than an alarm can tell", () => {
    const [line] = linesAbout(() => ({ runbookUrl: "x".repeat(401) }));
    expect(line).toMatch(/^runbookUrl: "x{100}" is not an address of at most 400 characters/);
  });

  it("are refused: a private API with a domain", () => {
    const settings = (stack: Stack) => ({
      vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"],
      domain: {
        domainName: "looker-tokens.example.com",
        certificate: Certificate.fromCertificateArn(stack, "Certificate", certificateArn),
      },
    });
    expect(linesAbout(settings)).toEqual([
      "domain: is for the regional API: a private API is called through its VPC endpoints",
    ]);
  });

  it("are all told at once, with the mistakes in scopes", () => {
    const settings = () => ({
      ...{ organizationId: "x", breakGlassArns: ["*"], dashbord: false, guard: { pipelineArns: [] } },
      ...{ securityGroups: [], tellOfPolicyChanges: true },
    });
    const scopes = { sales: scopeOf({ secretName: "a b" }), finance: scopeOf({ secretArn }) };
    const synthesize = () => synthesizedHere({ scopes, settings: settings as BrokerSettings });
    expect(linesOf(synthesize).map((line) => line.replace(/: [^:]*$/, ""))).toEqual([
      "organizationId",
      "breakGlassArns",
      "dashbord",
      "guard.pipelineArns: the guard would let nobody deploy",
      "securityGroups: functions in a VPC need one",
      "securityGroups",
      "tellOfPolicyChanges: needs an alarmTopic",
      'scope "sales": secret.secretName',
      'scope "finance": secret.encryptionKeyArn',
    ]);
  });

  it("are told with the construct's path, whose stage says which environment is meant", () => {
    const stack = new Stack(new Stage(new App(), "Staging"), "Looker");
    const props = { scopes: threeScopes, memorySize: 1 };
    expect(() => new TokenBroker(stack, "Broker", props)).toThrow(
      /^Staging\/Looker\/Broker cannot be built:\n {2}- memorySize: [^\n]*$/,
    );
    const guard = () => new Guard(stack, "Guard", { name: "" } as TokenBroker, { pipelineArns: [] });
    expect(guard).toThrow(/^Staging\/Looker\/Guard cannot be built:\n {2}- pipelineArns: [^\n]*$/);
  });

  it("are told once, above the line of the app that makes the broker", () => {
    const make = () => new TokenBroker(new Stack(), "Broker", { scopes: threeScopes, memorySize: 1 });
    try {
      make();
    } catch (error) {
      // As Node prints an error that nothing catches.
      const printed = inspect(error);
      expect(printed.match(/memorySize/g)).toHaveLength(1);
      expect(printed).toMatch(/^BrokerSettingsError: Default\/Broker cannot be built:\n.*\n +at make /);
    }
    expect.assertions(2);
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
});

describe("a misspelt setting is refused with its right name, and never means the default", () => {
  it.each<[Record<string, unknown>, string]>([
    [
      { organisationId: "o-a1b2c3d4e5" },
      "organisationId: there is no such setting. Did you mean organizationId?",
    ],
    [{ organisationId: undefined }, "organisationId: there is no such setting. Did you mean organizationId?"],
    [
      { vpcEndpointId: ["vpce-0a1b2c3d4e5f60718"] },
      "vpcEndpointId: there is no such setting. Did you mean vpcEndpointIds?",
    ],
    [
      { vpc_endpoint_ids: ["vpce-0a1b2c3d4e5f60718"] },
      "vpc_endpoint_ids: there is no such setting. Did you mean vpcEndpointIds?",
    ],
    [{ gaurd: {} }, "gaurd: there is no such setting. Did you mean guard?"],
    [{ retention: 90 }, "retention: there is no such setting. Did you mean logRetention?"],
    [
      { scopes: {} },
      expect.stringMatching(/^scopes: there is no such setting. The settings are organizationId, .*, guard$/),
    ],
    [
      { guard: { pipelineArns: ["arn:aws:iam::111122223333:role/ci/deploy"], secretArn: [] } },
      "guard.secretArn: there is no such setting. Did you mean secretArns?",
    ],
    [
      { throttle: { rateLimit: 1, burstLimit: 1, burst: 2 } },
      "throttle.burst: there is no such setting. Did you mean burstLimit?",
    ],
    [{ throttle: { rateLimit: 1 } }, "throttle.burstLimit: is missing"],
    [
      { alarms: { p99Miliseconds: 1 } },
      "alarms.p99Miliseconds: there is no such setting. Did you mean p99Milliseconds?",
    ],
    [
      { reservedConcurrency: { sweeper: 2 } },
      "reservedConcurrency.sweeper: there is no such setting. Did you mean sweep?",
    ],
    [{ constructor: {} }, expect.stringMatching(/^constructor: there is no such setting. The settings are /)],
  ])("%o", (settings, line) => {
    expect(linesAbout(() => settings)).toEqual([line]);
  });

  it("of subnets, because the functions would be in others", () => {
    const settings = (stack: Stack) => ({
      vpc: new Vpc(stack, "Vpc"),
      vpcSubnets: { subnetTyp: "Isolated" },
    });
    expect(linesAbout(settings)).toEqual([
      "vpcSubnets.subnetTyp: there is no such setting. Did you mean subnetType?",
    ]);
  });

  it("of a domain", () => {
    const settings = (stack: Stack) => ({
      domain: {
        domain: "looker-tokens.example.com",
        certificate: Certificate.fromCertificateArn(stack, "Certificate", certificateArn),
      },
    });
    expect(linesAbout(settings)).toEqual([
      "domain.domainName: is missing",
      "domain.domain: there is no such setting. Did you mean domainName?",
    ]);
  });

  it("of the construct in an app of one's own, where there is no guard", () => {
    const props = { scopes: threeScopes, organisationId: "o-a1b2c3d4e5", guard: {} };
    const lines = linesOf(() => new TokenBroker(new Stack(), "Broker", props));
    expect(lines).toEqual([
      "organisationId: there is no such setting. Did you mean organizationId?",
      expect.stringMatching(/^guard: there is no such setting. The settings are scopes, /),
    ]);
  });

  it("of the guard in an app of one's own", () => {
    const { stack } = synthesizedHere();
    const props = { pipelineArns: ["arn:aws:iam::111122223333:role/ci/deploy"], pipelines: [] };
    expect(linesOf(() => new Guard(stack, "Guard", stack.broker, props))).toEqual([
      "pipelines: there is no such setting. Did you mean pipelineArns?",
    ]);
  });
});

describe("a setting of a wrong type, as JavaScript lets it pass, is refused", () => {
  it.each<[unknown, string]>([
    [
      { vpcEndpointIds: "vpce-0a1b2c3d4e5f60718" },
      'vpcEndpointIds: must be a list, not "vpce-0a1b2c3d4e5f60718"',
    ],
    [{ breakGlassArns: null }, "breakGlassArns: must be a list, not null"],
    [{ organizationId: null }, 'organizationId: null is not an organisation\'s id, like "o-a1b2c3d4e5"'],
    [
      { organizationId: undefined },
      "organizationId: is undefined: leave it out if callers may come from everywhere",
    ],
    [
      { vpcEndpointIds: undefined },
      "vpcEndpointIds: is undefined: leave it out if callers may come from everywhere",
    ],
    [{ accountCheck: "no" }, 'accountCheck: must be true or false, not "no"'],
    [{ dashboard: "false" }, 'dashboard: must be true or false, not "false"'],
    [{ deletionProtection: "true" }, 'deletionProtection: must be true or false, not "true"'],
    [{ tellOfPolicyChanges: 1 }, "tellOfPolicyChanges: must be true or false, not 1"],
    [{ architecture: "x86" }, 'architecture: must be "arm64" or "x86_64", not "x86"'],
    [{ cloudWatchRole: "creat" }, 'cloudWatchRole: must be "existing" or "create", not "creat"'],
    [
      { removalPolicy: "RETAIN" },
      'removalPolicy: must be "destroy", "retain", "snapshot" or "retain-on-update-or-delete", not "RETAIN"',
    ],
    [{ memorySize: "512" }, 'memorySize: must be a whole number of MB from 256 to 10240, not "512"'],
    [{ throttle: 200 }, "throttle: must be an object of settings, not 200"],
    [{ throttle: { rateLimit: 0, burstLimit: 1 } }, "throttle.rateLimit: must be a number above 0, not 0"],
    [{ alarms: [] }, "alarms: must be an object of settings, not a list"],
    [
      { vpc: "vpc-0a1b2c3d" },
      'vpc: must be an object of the CDK, like Vpc.fromLookup(…), not "vpc-0a1b2c3d"',
    ],
    [{ throttle: null }, "throttle: must be an object of settings, not null"],
    [
      { throttle: { rateLimit: Number.NaN, burstLimit: 1 } },
      "throttle.rateLimit: must be a number above 0, not NaN",
    ],
    [{ memorySize: Number.NaN }, "memorySize: must be a whole number of MB from 256 to 10240, not NaN"],
    [
      // biome-ignore lint/suspicious/noSparseArray: the mistake that is meant.
      { vpcEndpointIds: [, "vpce-0a1b2c3d4e5f60718"] },
      'vpcEndpointIds: undefined is not the id of a VPC endpoint, like "vpce-0a1b2c3d4e5f60718"',
    ],
    [{ guard: { pipelineArns: new Array(1) } }, "guard.pipelineArns: undefined is not text"],
    [
      JSON.parse('{ "__proto__": { "organizationId": "o-a1b2c3d4e5" } }'),
      expect.stringMatching(/^__proto__: there is no such setting. The settings are /),
    ],
    [
      { __proto__: { organizationId: "o-a1b2c3d4e5" } },
      "settings: must be an object of settings, not an object of a class",
    ],
    [
      { throttle: Object.create({ rateLimit: 1, burstLimit: 1 }) },
      "throttle: must be an object of settings, not an object of a class",
    ],
    [Promise.resolve({}), "settings: must be an object of settings, not a promise"],
    [new Map(), "settings: must be an object of settings, not an object of a class"],
    [undefined, "settings: must be an object of settings, not undefined"],
  ])("%o", (settings, line) => {
    expect(linesAbout(() => settings)).toEqual([line]);
  });

  it("but emergency roles of every partition are taken", () => {
    for (const partition of ["aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-f"]) {
      const breakGlassArns = [`arn:${partition}:iam::111122223333:role/break-glass`];
      expect(() => synthesizedHere({ settings: () => ({ breakGlassArns }) })).not.toThrow();
    }
  });

  it("but a value of the deployment is taken", () => {
    const { one } = synthesizedHere({ settings: () => ({ organizationId: Fn.importValue("organisation") }) });
    expect(JSON.stringify(one("AWS::ApiGateway::RestApi")[1].Properties.Policy)).toContain(
      '"aws:PrincipalOrgID":{"Fn::ImportValue":"organisation"}',
    );
  });
});

/** docs/how-to/deploy.md, "What your account demands", shows each of these. */
describe("demands of an account are met by CDK's own means", () => {
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
    expect(new Set(names).size).toBe(6);
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

it("has no resource outside of the construct and the outputs", () => {
  const { stack } = synthesizedHere();
  const outside = stack.node
    .findAll()
    .filter((each) => CfnResource.isCfnResource(each))
    .map(({ node }) => node.path.split("/")[1])
    .filter((part) => !["Broker", "Scope", "Auditor"].includes(part ?? ""));
  expect(outside).toEqual([]);
});
