/** cfn-lint (https://github.com/aws-cloudformation/cfn-lint) over what the stack can become. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { RemovalPolicy } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { LambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { Key } from "aws-cdk-lib/aws-kms";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { Topic } from "aws-cdk-lib/aws-sns";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  account,
  keyArn,
  region,
  type SynthesizeOptions,
  scopeOf,
  synthesized,
  threeScopes,
} from "../../support/synthesized.ts";
import { tool } from "./tools.ts";

const variants: Record<string, SynthesizeOptions> = {
  "the defaults": {},
  "an account that is known at deployment only": { env: { region } },
  "two hundred scopes": {
    scopes: Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [
        `scope-${index}`,
        scopeOf({ secretName: `looker/scope-${index}` }),
      ]),
    ),
  },
  "callers of an organisation, and of another account": {
    scopes: {
      ...threeScopes,
      shared: scopeOf(
        { secretName: "looker/shared" },
        { callers: ["arn:aws:iam::777788889999:role/service"] },
      ),
    },
    settings: () => ({ organizationId: "o-a1b2c3d4e5" }),
  },
  "a private API": {
    settings: () => ({ vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718", "vpce-0123456789abcdef0"] }),
  },
  "a domain with a hosted zone": {
    settings: (stack) => ({
      domain: {
        domainName: "looker-tokens.example.com",
        certificate: Certificate.fromCertificateArn(
          stack,
          "Certificate",
          `arn:aws:acm:${region}:${account}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab`,
        ),
        hostedZone: HostedZone.fromHostedZoneAttributes(stack, "Zone", {
          hostedZoneId: "Z123456789ABC",
          zoneName: "example.com",
        }),
      },
    }),
  },
  "a VPC": {
    settings: (stack) => ({
      vpc: Vpc.fromVpcAttributes(stack, "Vpc", {
        vpcId: "vpc-0a1b2c3d4e5f60718",
        availabilityZones: [`${region}a`, `${region}b`],
        privateSubnetIds: ["subnet-0a1b2c3d4e5f60718", "subnet-0123456789abcdef0"],
      }),
    }),
  },
  "gradual deployment": {
    settings: () => ({ deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES }),
  },
  "all other settings": {
    settings: (stack) => ({
      throttle: { rateLimit: 5, burstLimit: 7 },
      cloudWatchRole: "create",
      logEncryptionKey: Key.fromKeyArn(stack, "LogKey", keyArn),
      architecture: "x86_64",
      memorySize: 1024,
      accountConcurrency: 1_000,
      reservedConcurrency: { operate: 5, sweep: 2 },
      deletionProtection: false,
      removalPolicy: RemovalPolicy.DESTROY,
      breakGlassArns: [`arn:aws:iam::${account}:role/break-glass`],
      alarmTopic: new Topic(stack, "OnCall"),
      tellOfPolicyChanges: true,
      alarms: { mintsPerFiveMinutes: 1, p99Milliseconds: 1, deniedCallsPerFiveMinutes: 1 },
      runbookUrl: "https://git.example.com/runbook.md",
      dashboard: false,
    }),
  },
};

/** Why each is not a finding here. */
const ignored = {
  W3005:
    "CDK lets a function wait for its role although it refers to it: the role's policies come in by that.",
};

interface Finding {
  readonly Filename: string;
  readonly Level: string;
  readonly Rule: { readonly Id: string };
  readonly Message: string;
  readonly Location: { readonly Path: readonly unknown[] | null };
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "cfn-lint-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** cfn-lint takes seconds to load its rules, and a busy machine makes minutes of them. */
const lintsWithinMs = 300_000;

/** Once for all templates. By template, as `E1010 Message (Path)`. */
async function lint(templates: Record<string, unknown>): Promise<Record<string, string[]>> {
  const names = Object.keys(templates);
  const files = names.map((name, index) => {
    const file = join(directory, `${index}.template.json`);
    writeFileSync(file, JSON.stringify(templates[name]));
    return file;
  });
  const options = ["--format", "json", "--regions", region, "us-east-1"];
  const ignore = ["--ignore-checks", ...Object.keys(ignored)];
  const args = [...options, ...ignore, "--non-zero-exit-code", "none", "--", ...files];
  // In a folder without a .cfnlintrc of anybody's.
  const { stdout } = await promisify(execFile)(tool("cfn-lint"), args, { cwd: directory });
  const audit = JSON.parse(stdout) as Finding[];
  return Object.fromEntries(
    names.map((name, index) => [
      name,
      audit
        .filter(({ Filename }) => basename(Filename) === `${index}.template.json`)
        .map(({ Rule, Message, Location }) => `${Rule.Id} ${Message} (${Location.Path?.join("/")})`),
    ]),
  );
}

describe("cfn-lint finds nothing in the template with", () => {
  let found: Record<string, string[]>;
  beforeAll(async () => {
    const templates = Object.entries(variants).map(([name, options]) => {
      const made = synthesized(options);
      made.remove();
      return [name, made.template.toJSON()] as const;
    });
    found = await lint(Object.fromEntries(templates));
  }, lintsWithinMs);

  it.each(Object.keys(variants))("%s", (name) => {
    expect(found[name]).toEqual([]);
  });
});

it(
  "cfn-lint does find a reference to nothing, a circle, and what no resource has",
  async () => {
    const made = synthesized();
    made.remove();
    const [table] = made.one("AWS::DynamoDB::Table");
    const [key] = made.one("AWS::KMS::Key");
    const broken = (change: (resources: Record<string, { Properties: Record<string, unknown> }>) => void) => {
      const template = structuredClone(made.template.toJSON());
      change(template.Resources);
      return template;
    };
    const found = await lint({
      nothing: broken((all) =>
        Object.assign(all[table]?.Properties ?? {}, { TableName: { Ref: "Nothing" } }),
      ),
      circle: broken((all) => {
        Object.assign(all[table]?.Properties ?? {}, { TableName: { Ref: key } });
        Object.assign(all[key]?.Properties ?? {}, { Description: { Ref: table } });
      }),
      unknown: broken((all) => Object.assign(all[key]?.Properties ?? {}, { Rotates: true })),
    });
    expect(found).toEqual({
      nothing: [expect.stringMatching(/^E1020 /)],
      circle: expect.arrayContaining([expect.stringMatching(/^E3004 /)]),
      unknown: [expect.stringMatching(/^E3002 /)],
    });
  },
  lintsWithinMs,
);
