/** The guard (infra/guard.ts) as the organisation would evaluate it, against the account's administrator. */
import { readFileSync } from "node:fs";
import { Stack } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import { sealContextKeys, sealContextOfChecks, stageName } from "../../../functions/contract.ts";
import type { CustomDomain } from "../../../infra/broker-api.ts";
import { Guard } from "../../../infra/guard.ts";
import type { GuardProps } from "../../../infra/settings.ts";
import type { BrokerSettings } from "../../../infra/stack.ts";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { assertExists, decide, encryptionContextKeys, type Principal } from "../../support/iam/evaluator.ts";
import { administratorAccess } from "../../support/iam/policies.ts";
import {
  arn,
  functionNamed,
  location,
  type Resolved,
  resolved,
  roleArn,
  roleOf,
  scopes,
} from "../../support/iam/resolved.ts";
import { keyArn, type SynthesizeOptions, scopeOf } from "../../support/synthesized.ts";

const pipelineArn = roleArn("ci/deploy");
const breakGlass = roleArn("emergency/break-glass");
const guarded = (props: Partial<GuardProps> = {}, options: SynthesizeOptions = {}) =>
  resolved({
    ...options,
    prepare: (made) => {
      new Guard(made, "Guard", made.broker, { pipelineArns: [pipelineArn], ...props });
    },
  });
const policyNamed = (name: string, { resources }: Resolved): string =>
  String(
    resources.find(({ properties: { Name } }) => String(Name).endsWith(`/guard/${name}`))?.properties.Value,
  );

const certificateArn = arn("acm", "certificate/1234abcd-12ab-34cd-56ef-1234567890ab");
const domainName = "looker-tokens.data.example.com";
const domainOf = (made: Stack, more: Partial<CustomDomain> = {}): CustomDomain => ({
  domainName,
  certificate: Certificate.fromCertificateArn(made, "Certificate", certificateArn),
  hostedZone: HostedZone.fromHostedZoneAttributes(made, "Zone", {
    hostedZoneId: "Z123456789ABC",
    zoneName: "example.com",
  }),
  ...more,
});
const withDomainAndRule: BrokerSettings = (stack) => ({
  breakGlassArns: [breakGlass],
  domain: domainOf(stack),
  alarmTopic: Topic.fromTopicArn(stack, "OnCall", arn("sns", "on-call")),
  tellOfPolicyChanges: true,
});
const made = guarded({}, { settings: withDomainAndRule });
const { stack, resources } = made;
const guard = ["code", "data", "domain"].map((name) => JSON.parse(policyNamed(name, made)) as PolicyDocument);

const administrator = (arn: string, serviceControlPolicies: PolicyDocument[] = guard): Principal => ({
  roleArn: arn,
  policies: [administratorAccess],
  serviceControlPolicies,
});
const bound = (principal: Principal): Principal => ({ ...principal, serviceControlPolicies: guard });
const functionRole = (name: string) => bound(roleOf(functionNamed(name, stack).roleArn, stack));
const cdkRole = (name: string) =>
  roleArn(`cdk-hnb659fds-${name}-role-${location.accountId}-${location.region}`);

const ofType = (type: string) => resources.filter((resource) => resource.type === type);
const [table] = stack.tables;
const [key] = stack.keys;
const issueToken = functionNamed("issue-token", stack);
const tableArn = arn("dynamodb", `table/${table?.createTable.TableName}`);
const logGroup = arn("logs", `log-group:${issueToken.logGroupName}`);
const logStream = `${logGroup}:log-stream:2026/11/24/[1]0123`;
const accessLogName = ofType("AWS::Logs::LogGroup").find(({ logicalId }) => logicalId.includes("AccessLogs"));
const accessLog = arn("logs", `log-group:${accessLogName?.physical.ref}`);
const schedule = ofType("AWS::Scheduler::Schedule")[0]?.physical.attributes.Arn ?? "";
const policyArn = ofType("AWS::IAM::ManagedPolicy")[0]?.physical.ref ?? "";
const schedulerRole = stack.roles.find(({ arn }) => arn.includes("SweepSchedule"));
const api = `arn:aws:apigateway:${location.region}::/restapis/${stack.apiId}`;
const secret = arn("secretsmanager", "secret:looker/sales-a1B2c3");
const domain = `arn:aws:apigateway:${location.region}::/domainnames/${domainName}`;
const zone = "arn:aws:route53:::hostedzone/Z123456789ABC";
const rule = ofType("AWS::Events::Rule")[0]?.physical.attributes.Arn ?? "";
const bucket = `arn:aws:s3:::cdk-hnb659fds-assets-${location.accountId}-${location.region}`;

const records = (...names: string[]) => ({
  "route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
});

/** Of the account's administrator, by what it would come to. */
const denied: Record<
  string,
  readonly (readonly [action: string, resource: string, context?: Record<string, string[]>])[]
> = {
  "to pose as a caller": [
    ["lambda:InvokeFunction", issueToken.arn],
    ["lambda:InvokeFunction", `${issueToken.arn}:live`],
    ["lambda:InvokeAsync", issueToken.arn],
    ["lambda:InvokeFunctionUrl", issueToken.arn],
    ["lambda:CreateFunctionUrlConfig", issueToken.arn],
    ["lambda:AddPermission", issueToken.arn],
    ["lambda:PutFunctionEventInvokeConfig", issueToken.arn],
  ],
  "to become the function": [
    ["lambda:UpdateFunctionCode", issueToken.arn],
    ["lambda:UpdateFunctionConfiguration", issueToken.arn],
    ["lambda:PublishVersion", issueToken.arn],
    ["lambda:UpdateAlias", `${issueToken.arn}:live`],
    ["lambda:DeleteFunction", issueToken.arn],
    ["iam:PassRole", issueToken.roleArn],
    ["iam:UpdateAssumeRolePolicy", issueToken.roleArn],
    ["iam:AttachRolePolicy", issueToken.roleArn],
    ["iam:PutRolePolicy", issueToken.roleArn],
    ["iam:DeleteRolePolicy", issueToken.roleArn],
    ["iam:PassRole", schedulerRole?.arn ?? ""],
    ["iam:CreatePolicyVersion", policyArn],
    ["sts:AssumeRole", issueToken.roleArn],
  ],
  "to change the way to it": [
    ["apigateway:PATCH", api],
    ["apigateway:PUT", `${api}/resources/a1b2c3/methods/POST/integration`],
    // Of the console's test page, whose events carry an identity of the tester's choosing.
    ["apigateway:POST", `${api}/resources/a1b2c3/methods/POST`],
    ["apigateway:DELETE", api],
    ["apigateway:UpdateRestApiPolicy", api],
    ["scheduler:UpdateSchedule", schedule],
    ["scheduler:DeleteSchedule", schedule],
    ["ssm:PutParameter", arn("ssm", "parameter/looker-token-broker/Broker/scopes/sales")],
    ["ssm:PutParameter", arn("ssm", "parameter/looker-token-broker/Broker/guard/code")],
    ["ssm:PutParameter", arn("ssm", "parameter/looker-token-broker/Broker/policies/table")],
  ],
  "to stand between callers and it, under its own name": [
    ["apigateway:PATCH", domain],
    ["apigateway:DELETE", domain],
    // To another API.
    ["apigateway:PUT", `${domain}/basepathmappings/(none)`],
    ["apigateway:DELETE", `${domain}/basepathmappings/(none)`],
    ["acm:ImportCertificate", certificateArn],
    ["acm:ExportCertificate", certificateArn],
    ["acm:DeleteCertificate", certificateArn],
    ["route53:ChangeResourceRecordSets", zone, records(domainName)],
    // Among others that are nobody's business.
    ["route53:ChangeResourceRecordSets", zone, records("www.example.com", domainName)],
    // By which a certificate is proved.
    ["route53:ChangeResourceRecordSets", zone, records(`_0a1b2c3d.${domainName}`)],
    // A delegation to other name servers.
    ["route53:ChangeResourceRecordSets", zone, records("data.example.com")],
  ],
  "to deploy in the pipeline's place": [
    ["cloudformation:UpdateStack", arn("cloudformation", "stack/looker-token-broker/0a1b2c3d")],
    ["cloudformation:CreateChangeSet", arn("cloudformation", "stack/looker-token-broker/0a1b2c3d")],
    ["cloudformation:DeleteStack", arn("cloudformation", "stack/looker-token-broker/0a1b2c3d")],
    ["s3:PutObject", `${bucket}/0123abcd.zip`],
    ["s3:PutBucketPolicy", bucket],
    ["sts:AssumeRole", cdkRole("deploy")],
    ["iam:PassRole", cdkRole("cfn-exec")],
    ["iam:UpdateAssumeRolePolicy", pipelineArn],
    ["iam:PutRolePolicy", pipelineArn],
    ["iam:UpdateAssumeRolePolicy", cdkRole("cfn-exec")],
  ],
  "to read what is sealed or end its protection": [
    ["kms:PutKeyPolicy", key?.arn ?? ""],
    ["kms:CreateGrant", key?.arn ?? ""],
    ["kms:DisableKey", key?.arn ?? ""],
    ["kms:ScheduleKeyDeletion", key?.arn ?? ""],
    ["dynamodb:PutResourcePolicy", tableArn],
    ["dynamodb:DeleteResourcePolicy", tableArn],
    ["dynamodb:UpdateTable", tableArn],
    ["dynamodb:DeleteTable", tableArn],
    ["dynamodb:CreateBackup", tableArn],
    ["dynamodb:StartAwsBackupJob", tableArn],
    ["dynamodb:RestoreTableFromBackup", `${tableArn}/backup/01234567890123-a1b2c3d4`],
    ["dynamodb:ExportTableToPointInTime", tableArn],
    ["dynamodb:EnableKinesisStreamingDestination", tableArn],
    ["dynamodb:UpdateTimeToLive", tableArn],
  ],
  "to take a client secret": [
    ["secretsmanager:GetSecretValue", secret],
    ["secretsmanager:PutResourcePolicy", secret],
    ["secretsmanager:ReplicateSecretToRegions", secret],
    ["secretsmanager:UpdateSecret", secret],
    ["secretsmanager:DeleteSecret", secret],
  ],
  "to make the record untrue": [
    ["logs:DeleteLogGroup", logGroup],
    ["logs:DeleteLogStream", logStream],
    ["logs:PutRetentionPolicy", logGroup],
    ["logs:PutSubscriptionFilter", logGroup],
    ["logs:PutLogEvents", logStream],
    ["logs:CreateLogStream", `${logGroup}:*`],
    ["logs:DeleteLogGroup", accessLog],
    // Without its filter the alarm on throttled requests is blind.
    ["logs:DeleteMetricFilter", accessLog],
    ["logs:PutMetricFilter", accessLog],
    ["cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:looker-token-broker-BrokerAlarm-A1B2")],
    ["cloudwatch:SetAlarmState", arn("cloudwatch", "alarm:looker-token-broker-BrokerAlarm-A1B2")],
    ["events:DisableRule", rule],
    ["events:RemoveTargets", rule],
    ["events:DeleteRule", rule],
  ],
};

const alreadyDenied = ["kms:CreateGrant", "dynamodb:ExportTableToPointInTime"];

const policyOf = (resource: string) =>
  resource === key?.arn ? key.policy : resource.startsWith(tableArn) ? table?.resourcePolicy : undefined;
const verdict = (principal: Principal, action: string, resource: string, context = {}) =>
  decide({ principal, action, resource, resourcePolicy: policyOf(resource), context });

describe("the account's administrator is denied", () => {
  it.each(Object.entries(denied))("%s", async (_, operations) => {
    for (const [action, resource, context] of operations) {
      // The evaluator's data names no resources for this one.
      if (!["apigateway:POST", "apigateway:PUT"].includes(action)) await assertExists(action, resource);
      expect([action, verdict(administrator(roleArn("administrator")), action, resource, context)]).toEqual([
        action,
        "explicit deny",
      ]);
    }
  });

  it.each([
    ["root", `arn:aws:iam::${location.accountId}:root`],
    ["a role named like the pipeline's, under another path", roleArn("deploy")],
    ["the break-glass role", breakGlass],
  ])("as is %s", (_, arn) => {
    for (const [action, resource, context] of Object.values(denied).flat())
      expect([action, verdict(administrator(arn), action, resource, context)]).toEqual([
        action,
        "explicit deny",
      ]);
  });

  it("and none of it is denied without the guard, but for what the key's and the table's own policies deny", () => {
    const free = Object.values(denied)
      .flat()
      .filter(([action, resource, context]) =>
        verdict(administrator(roleArn("administrator"), []), action, resource, context).includes("deny"),
      );
    expect(free.map(([action]) => action)).toEqual(alreadyDenied);
  });
});

describe("the guard leaves alone", () => {
  it.each([pipelineArn, cdkRole("deploy"), cdkRole("cfn-exec")])("the deployment as %s", (arn) => {
    for (const [action, resource, context] of Object.values(denied).flat()) {
      if (alreadyDenied.includes(action)) continue;
      expect([action, verdict(administrator(arn), action, resource, context)]).toEqual([action, "allowed"]);
    }
  });

  it("who may assume the pipeline's role: its own trust policy says that", () => {
    expect(verdict(administrator(roleArn("runner")), "sts:AssumeRole", pipelineArn)).toBe("allowed");
  });

  it("the functions' work", () => {
    const context = encryptionContextKeys({
      ...Object.fromEntries(sealContextKeys.map((name) => [name, "x"])),
      table: table?.createTable.TableName ?? "",
    });
    const ofChecks = {
      "kms:EncryptionContext:account": sealContextOfChecks.account,
      "kms:EncryptionContext:caller": sealContextOfChecks.caller,
    };
    const works = (name: string, action: string, resource: string, more = {}) =>
      expect([name, action, verdict(functionRole(name), action, resource, more)]).toEqual([
        name,
        action,
        "allowed",
      ]);
    for (const name of ["issue-token", "logout", "operate", "sweep", "check-account"]) {
      for (const action of ["GetItem", "PutItem"]) works(name, `dynamodb:${action}`, tableArn);
      const own = name === "check-account" ? { ...context, ...ofChecks } : context;
      works(name, "kms:Decrypt", key?.arn ?? "", own);
      const log = arn("logs", `log-group:${functionNamed(name, stack).logGroupName}`);
      works(name, "logs:PutLogEvents", `${log}:log-stream:2026/11/24/[1]0123`);
      works(name, "logs:CreateLogStream", `${log}:*`);
    }
    for (const name of ["issue-token", "check-account"]) works(name, "dynamodb:BatchGetItem", tableArn);
    works("issue-token", "kms:Encrypt", key?.arn ?? "", context);
    works("issue-token", "secretsmanager:GetSecretValue", secret);
    works("check-account", "secretsmanager:GetSecretValue", secret);
    works("operate", "dynamodb:Query", tableArn);
    works("sweep", "dynamodb:Query", `${tableArn}/index/due`);
  });

  it("the schedule, which starts the sweeper", () => {
    const scheduler = bound(roleOf(schedulerRole?.arn ?? "", stack));
    expect(verdict(scheduler, "lambda:InvokeFunction", functionNamed("sweep", stack).arn)).toBe("allowed");
  });

  it("callers, who invoke the API and nothing behind it", () => {
    const method = arn("execute-api", `${stack.apiId}/${stageName}/POST/scopes/sales/token`);
    expect(verdict(administrator(roleArn("report-service")), "execute-api:Invoke", method)).toBe("allowed");
  });

  it("access logs, which API Gateway writes with a role of the account's own", () => {
    const stream = `${accessLog}:log-stream:0123`;
    expect(verdict(administrator(roleArn("apigateway-logs")), "logs:PutLogEvents", stream)).toBe("allowed");
  });

  it("the emergency role's rows, and nobody else's", () => {
    expect(verdict(administrator(breakGlass), "dynamodb:PutItem", tableArn)).toBe("allowed");
    expect(verdict(administrator(roleArn("administrator")), "dynamodb:PutItem", tableArn)).toBe(
      "explicit deny",
    );
  });

  it("storing a new client secret, and looking at what there is", () => {
    for (const [action, resource] of [
      ["secretsmanager:CreateSecret", secret],
      ["secretsmanager:PutSecretValue", secret],
      ["lambda:GetFunction", issueToken.arn],
      ["apigateway:GET", api],
      ["iam:GetRole", issueToken.roleArn],
      ["dynamodb:DescribeTable", tableArn],
      ["kms:DescribeKey", key?.arn ?? ""],
      ["logs:StartQuery", logGroup],
      ["logs:FilterLogEvents", logGroup],
      ["apigateway:GET", domain],
      ["acm:DescribeCertificate", certificateArn],
      ["events:DescribeRule", rule],
      ["cloudformation:DescribeStacks", arn("cloudformation", "stack/looker-token-broker/0a1b2c3d")],
    ] as const)
      expect([action, verdict(administrator(roleArn("administrator")), action, resource)]).toEqual([
        action,
        "allowed",
      ]);
  });

  it("everything that is not the broker's", () => {
    for (const [action, resource, context] of [
      ["lambda:InvokeFunction", arn("lambda", "function:another")],
      ["dynamodb:DeleteTable", arn("dynamodb", "table/another")],
      ["iam:PassRole", roleArn("another")],
      ["apigateway:PATCH", `arn:aws:apigateway:${location.region}::/restapis/an0therap1`],
      ["secretsmanager:GetSecretValue", arn("secretsmanager", "secret:looker/sales-admin-a1B2c3")],
      ["acm:DeleteCertificate", arn("acm", "certificate/00000000-0000-4000-8000-000000000000")],
      ["apigateway:PATCH", `arn:aws:apigateway:${location.region}::/domainnames/another.example.com`],
      // The zone is other names' zone too.
      ["route53:ChangeResourceRecordSets", zone, records("www.example.com", "example.com")],
      ["route53:ChangeResourceRecordSets", zone, records("xlooker-tokens.data.example.com")],
      ["route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z999999999999", records(domainName)],
    ] as const)
      expect([action, verdict(administrator(roleArn("administrator")), action, resource, context)]).toEqual([
        action,
        "allowed",
      ]);
  });
});

describe("with secrets that rotate", () => {
  const rotatorArn = roleArn("security/rotator");
  const administratorSecret = arn("secretsmanager", "secret:looker/rotator-a1B2c3");
  const fixed = arn("secretsmanager", "secret:looker/finance-a1B2c3");
  const rotation = { everyDays: 30, administrator: { secretName: "looker/rotator" } };
  const rotatingScopes = { ...scopes, sales: scopeOf({ secretName: "looker/sales", rotation }) };
  const madeWith = (props: Partial<GuardProps>) => guarded(props, { scopes: rotatingScopes });
  const rotationGuard = ["code", "data", "rotation"];
  const made = madeWith({ rotatorArns: [rotatorArn] });
  const { stack } = made;
  const controls = rotationGuard.map((name) => JSON.parse(policyNamed(name, made)) as PolicyDocument);
  const rotateSecret = functionNamed("rotate-secret", stack);
  const rotationFunction = (functionArn: string) => ({ "secretsmanager:RotationLambdaARN": functionArn });
  const as = (arn: string, action: string, resource: string, context: Record<string, string> = {}) =>
    decide({ principal: administrator(arn, controls), action, resource, context });
  const rotator = (action: string, resource: string, context: Record<string, string> = {}) =>
    as(rotatorArn, action, resource, context);
  const rotate = "secretsmanager:RotateSecret";

  it("a rotator starts a rotation, which takes an invocation of the function", () => {
    expect(rotator(rotate, secret)).toBe("allowed");
    expect(rotator(rotate, secret, { "secretsmanager:ModifyRotationRules": "false" })).toBe("allowed");
    expect(rotator("lambda:InvokeFunction", rotateSecret.arn)).toBe("allowed");
  });

  it("nobody else starts one, nor invokes the function", () => {
    for (const other of [roleArn("administrator"), roleArn("rotator"), breakGlass]) {
      expect(as(other, rotate, secret)).toBe("explicit deny");
      expect(as(other, "lambda:InvokeFunction", rotateSecret.arn)).toBe("explicit deny");
    }
  });

  it("a rotator cannot point rotation at a function of his own, nor at the broker's by naming it", async () => {
    await assertExists(rotate, secret);
    for (const functionArn of [arn("lambda", "function:mine"), rotateSecret.arn])
      expect(rotator(rotate, secret, rotationFunction(functionArn))).toBe("explicit deny");
  });

  it("a rotator cannot put rotation off for ever, nor switch it off", () => {
    expect(rotator(rotate, secret, { "secretsmanager:ModifyRotationRules": "true" })).toBe("explicit deny");
    expect(rotator("secretsmanager:CancelRotateSecret", secret)).toBe("explicit deny");
  });

  it("a rotator cannot begin the rotation of a secret that does not rotate", () => {
    for (const other of [fixed, administratorSecret]) expect(rotator(rotate, other)).toBe("explicit deny");
  });

  it("a rotator cannot read a secret, the administrator's least of all", () => {
    for (const each of [secret, fixed, administratorSecret])
      expect(rotator("secretsmanager:GetSecretValue", each)).toBe("explicit deny");
  });

  it("a rotator cannot invoke another function, nor change this one", () => {
    expect(rotator("lambda:InvokeFunction", functionNamed("issue-token", stack).arn)).toBe("explicit deny");
    expect(rotator("lambda:UpdateFunctionCode", rotateSecret.arn)).toBe("explicit deny");
    expect(rotator("lambda:AddPermission", rotateSecret.arn)).toBe("explicit deny");
    expect(rotator("iam:PassRole", rotateSecret.roleArn)).toBe("explicit deny");
    expect(rotator("sts:AssumeRole", rotateSecret.roleArn)).toBe("explicit deny");
  });

  it("the function does its work", () => {
    const own: Principal = {
      ...roleOf(rotateSecret.roleArn, stack),
      serviceControlPolicies: controls,
    };
    const works = (action: string, resource: string, context = {}) =>
      decide({ principal: own, action, resource, context });
    for (const verb of ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"])
      expect([verb, works(`secretsmanager:${verb}`, secret)]).toEqual([verb, "allowed"]);
    expect(works("secretsmanager:GetSecretValue", administratorSecret)).toBe("allowed");
    const table = arn("dynamodb", `table/${stack.tables[0]?.createTable.TableName}`);
    for (const [verb, partition] of [
      ["GetItem", "secret#looker/sales"],
      ["PutItem", "secret#looker/sales"],
      ["Query", "scope#sales#3"],
    ])
      expect([verb, works(`dynamodb:${verb}`, table, { "dynamodb:LeadingKeys": [partition] })]).toEqual([
        verb,
        "allowed",
      ]);
  });

  it("the other functions read the secret, and the retirement's schedule starts the function", () => {
    for (const name of ["issue-token", "check-account"]) {
      const principal = {
        ...roleOf(functionNamed(name, stack).roleArn, stack),
        serviceControlPolicies: controls,
      };
      expect(decide({ principal, action: "secretsmanager:GetSecretValue", resource: secret })).toBe(
        "allowed",
      );
    }
    const schedule = stack.roles.find(({ arn }) => arn.includes("Retirement"));
    const principal = { ...roleOf(schedule?.arn ?? "", stack), serviceControlPolicies: controls };
    expect(decide({ principal, action: "lambda:InvokeFunction", resource: rotateSecret.arn })).toBe(
      "allowed",
    );
  });

  it("anybody stores a new value, and looks at what there is", () => {
    for (const each of ["PutSecretValue", "DescribeSecret", "ListSecretVersionIds"])
      expect(as(roleArn("administrator"), `secretsmanager:${each}`, secret)).toBe("allowed");
    expect(as(roleArn("administrator"), "lambda:GetFunction", rotateSecret.arn)).toBe("allowed");
  });

  it("the deployment changes the rotation", () => {
    expect(as(pipelineArn, rotate, secret, rotationFunction(rotateSecret.arn))).toBe("allowed");
    expect(as(cdkRole("cfn-exec"), rotate, secret, rotationFunction(rotateSecret.arn))).toBe("allowed");
  });

  it("nobody but the deployment starts a rotation where no rotator is named", () => {
    const plain = madeWith({});
    const plainControls = rotationGuard.map((name) => JSON.parse(policyNamed(name, plain)) as PolicyDocument);
    const principal = administrator(rotatorArn, plainControls);
    expect(decide({ principal, action: rotate, resource: secret })).toBe("explicit deny");
    const { arn: functionArn } = functionNamed("rotate-secret", plain.stack);
    expect(decide({ principal, action: "lambda:InvokeFunction", resource: functionArn })).toBe(
      "explicit deny",
    );
  });

  it("a rotator is not named where no secret rotates", () => {
    expect(() => guarded({ rotatorArns: [rotatorArn] })).toThrow(
      /rotatorArns: no secret of the scopes rotates/,
    );
  });

  it("the third policy looks like docs/how-to/guard/rotation.json", () => {
    const file = new URL("../../../docs/how-to/guard/rotation.json", import.meta.url);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(policyNamed("rotation", made)));
  });

  it("the policies fit, by patterns for many secrets", () => {
    const secretArns = [arn("secretsmanager", "secret:looker/*")];
    const large = madeWith({ rotatorArns: [rotatorArn], secretArns });
    for (const name of rotationGuard) expect(policyNamed(name, large).length).toBeLessThan(5_120 - 1_000);
  });

  it("the policies fit, with as many secrets as are taken by name", () => {
    const many = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `scope-${index}`,
          scopeOf({ secretName: `looker/department-${index}`, rotation: { everyDays: 30 } }),
        ]),
      );
    const named = (count: number) => guarded({ rotatorArns: [rotatorArn] }, { scopes: many(count) });
    for (const name of rotationGuard) expect(policyNamed(name, named(4)).length).toBeLessThan(5_120 - 300);
    expect(() => named(5)).toThrow(/5 secrets .* secretArns/);
  });
});

describe("its policies", () => {
  /** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
  const maximumCharacters = 5120;

  it("fit, with 200 scopes", () => {
    const manyScopes = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [
        `scope-${index}`,
        { ...scopes.sales, secret: { secretName: `looker/${"department-".repeat(4)}${index}` } },
      ]),
    );
    const secretArns = [arn("secretsmanager", "secret:looker/*")];
    const large = guarded({ secretArns }, { scopes: manyScopes, settings: withDomainAndRule });
    // Room for the roles of CodeDeploy and of API Gateway's logs, and for a longer name of the stack.
    for (const name of ["code", "data", "domain"])
      expect(policyNamed(name, large).length).toBeLessThan(maximumCharacters - 1_000);
  });

  it("say what to do when there are too many secrets to name", () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [
        `scope-${index}`,
        { ...scopes.sales, secret: { secretName: `looker/department-${index}` } },
      ]),
    );
    expect(() => guarded({}, { scopes: many })).toThrow(/60 secrets .* secretArns/);
  });

  it("leave secrets of other accounts to those", () => {
    const elsewhere = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:looker/far-a1B2c3";
    const far = guarded(
      {},
      { scopes: { far: { ...scopes.sales, secret: { secretArn: elsewhere, encryptionKeyArn: keyArn } } } },
    );
    expect(policyNamed("data", far)).not.toContain(elsewhere);
  });

  it("keep a domain whose zone lies elsewhere, without a word of DNS", () => {
    const { hostedZone: _, ...elsewhere } = domainOf(new Stack());
    const far = guarded(
      {},
      { settings: (stack) => ({ domain: { ...elsewhere, certificate: domainOf(stack).certificate } }) },
    );
    expect(policyNamed("domain", far)).toContain(`/domainnames/${domainName}*`);
    expect(policyNamed("domain", far)).toContain(certificateArn);
    expect(policyNamed("domain", far)).not.toContain("route53");
  });

  it("are not made for a zone that does not hold the name", () => {
    const settings: BrokerSettings = (stack) => ({
      domain: domainOf(stack, { domainName: "tokens.another.org" }),
    });
    expect(() => guarded({}, { settings })).toThrow(/hosted zone example\.com does not hold it/);
  });

  it("are not made for a pipeline that nobody is", () => {
    expect(() => guarded({ pipelineArns: [] })).toThrow(/pipelineArns/);
  });

  it.each(["code", "data", "domain"])("look like docs/how-to/guard/%s.json", (name) => {
    const example = readFileSync(new URL(`../../../docs/how-to/guard/${name}.json`, import.meta.url), "utf8");
    expect(JSON.parse(example)).toEqual(JSON.parse(policyNamed(name, made)));
  });
});
