import type { Environment } from "aws-cdk-lib";
import { type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import { describe, expect, it } from "vitest";
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";
import {
  account,
  keyArn,
  region,
  rotatingScopes,
  scopeOf,
  synthesizedForFile,
  synthesizedHere,
} from "../../support/synthesized.ts";

const broker = synthesizedForFile();

const functions = ["IssueToken", "Logout", "Operate", "Sweep", "CheckAccount"];

describe("the roles", () => {
  // test/security/iam evaluates their resources and conditions.
  it("of the functions allow these actions, and no other", () => {
    const rows = ["dynamodb:GetItem", "dynamodb:PutItem"];
    const issues = ["dynamodb:BatchGetItem", "kms:Encrypt", "secretsmanager:GetSecretValue"];
    const traces = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    const always = [...rows, "kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents", ...traces];
    const actionsOf = (construct: string) =>
      [...new Set(broker.statementsOf(construct).flatMap(({ Action }) => Action))].sort();
    expect(Object.fromEntries(functions.map((construct) => [construct, actionsOf(construct)]))).toEqual({
      IssueToken: [...always, ...issues].sort(),
      Logout: [...always, "dynamodb:Query"].sort(),
      Operate: [...always, "dynamodb:Query"].sort(),
      Sweep: [...always, "dynamodb:Query"].sort(),
      CheckAccount: [...always, ...issues].sort(),
    });
  });

  it("of the rotation reads and writes the secrets that rotate, with their keys, reads the administrators', and opens no token", () => {
    const { statementsOf } = synthesizedHere({ scopes: rotatingScopes });
    const own = statementsOf("RotateSecret");
    const named = (sid: string) => own.find(({ Sid }) => Sid === sid);
    const arnOf = (name: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${name}-??????`;
    expect(named("RotateSecrets")).toMatchObject({
      Action: [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      Resource: [arnOf("looker/finance"), arnOf("looker/sales")],
    });
    expect(named("ReadAdministratorSecrets")).toMatchObject({
      Action: "secretsmanager:GetSecretValue",
      Resource: arnOf("looker/rotator"),
    });
    expect(named("UseKeysOfSecrets0")).toMatchObject({
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: keyArn,
      Condition: {
        StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` },
        StringLike: { "kms:EncryptionContext:SecretARN": [arnOf("looker/sales")] },
      },
    });
    const sids = own.map(({ Sid }) => Sid).sort();
    expect(sids).toEqual(
      [
        ...["QueryRows", "ReadAdministratorSecrets", "ReadAndWriteRows", "RotateSecrets"],
        ...["UseKeysOfSecrets0", "WriteLogs", "WriteTraces"],
      ].sort(),
    );
  });

  it("of the rotation uses a key that another scope names for the same secret", () => {
    const rotation = { everyDays: 30 };
    const { statementsOf } = synthesizedHere({
      scopes: {
        one: scopeOf({ secretName: "looker/sales", rotation }),
        two: scopeOf({ secretName: "looker/sales", encryptionKeyArn: keyArn }),
      },
    });
    expect(statementsOf("RotateSecret").find(({ Sid }) => Sid === "UseKeysOfSecrets0")?.Resource).toBe(
      keyArn,
    );
  });

  it("of the scheduler starts the sweeper once a minute without retries, and the account check, and may do nothing else", () => {
    const sweep = { "Fn::GetAtt": [broker.one("AWS::Lambda::Function", "Sweep")[0], "Arn"] };
    const check = { "Fn::GetAtt": [broker.one("AWS::Lambda::Function", "CheckAccount")[0], "Arn"] };
    broker.template.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: sweep, RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    const { Policies } = broker.one("AWS::IAM::Role", "SweepSchedule")[1].Properties;
    expect(Policies).toEqual([
      expect.objectContaining({
        PolicyDocument: expect.objectContaining({
          Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [check, sweep] }],
        }),
      }),
    ]);
  });

  it("grant no action by a wildcard, no resource by one where AWS knows resources, and nothing outside these policies", () => {
    for (const construct of functions)
      for (const { Sid, Action, Resource } of broker.statementsOf(construct)) {
        expect([Action].flat().filter((action) => action.includes("*"))).toEqual([]);
        if (Sid !== "WriteTraces") expect([Resource].flat()).not.toContain("*");
      }
    broker.template.resourceCountIs("AWS::IAM::Role", 6);
    broker.template.resourceCountIs("AWS::IAM::Policy", 5);
    broker.template.resourceCountIs("AWS::IAM::ManagedPolicy", 1);
    for (const [id, { Properties }] of broker.ofType("AWS::IAM::Role")) {
      expect(Properties).not.toHaveProperty("ManagedPolicyArns");
      if (!id.includes("Schedule")) expect(Properties).not.toHaveProperty("Policies");
    }
  });

  it("grant no action by a wildcard in a VPC either", () => {
    const { statementsOf } = synthesizedHere({
      settings: (stack) => ({ vpc: new Vpc(stack, "Vpc") as IVpc }),
    });
    for (const construct of functions)
      for (const { Action } of statementsOf(construct)) expect(JSON.stringify(Action)).not.toContain("*");
  });
});

describe("a secret's key is used through Secrets Manager alone, by its names in the partition", () => {
  const decryptionIn = (env: Environment, partition = "aws", at = env.region ?? region) => {
    const encryptionKeyArn = keyArn.replace("arn:aws:", `arn:${partition}:`).replace(region, at);
    const scopes = { sales: scopeOf({ secretName: "looker/sales", encryptionKeyArn }) };
    const statements = synthesizedHere({ scopes, env }).statementsOf("IssueToken");
    const [statement] = statements.filter(({ Sid }) => Sid === "DecryptScopeSecrets0");
    return { statement, names: statement?.Condition?.StringEquals?.["kms:ViaService"] };
  };

  it.each([
    ["aws", "eu-central-1", "secretsmanager.eu-central-1.amazonaws.com"],
    ["aws-us-gov", "us-gov-west-1", "secretsmanager.us-gov-west-1.amazonaws.com"],
    ["aws-cn", "cn-north-1", ["amazonaws.com", "amazonaws.com.cn"]],
    ["aws-eusc", "eusc-de-east-1", ["amazonaws.com", "amazonaws.eu"]],
    ["aws-iso", "us-iso-east-1", ["amazonaws.com", "c2s.ic.gov"]],
    ["aws-iso-b", "us-isob-east-1", ["amazonaws.com", "sc2s.sgov.gov"]],
  ])("%s", (partition, at, expected) => {
    const { statement, names } = decryptionIn({ account, region: at }, partition);
    const domains = (domain: string) => `secretsmanager.${at}.${domain}`;
    expect(names).toEqual(typeof expected === "string" ? expected : expected.map(domains));
    // infra/statements.ts reckons with 400 characters, and the secret's own ARN.
    const conditions = JSON.stringify(statement).replace(/\{"Fn::Join.*?\]\]\}|"arn:[^"]*secret:[^"]*"/g, "");
    expect(conditions.length).toBeLessThanOrEqual(400);
  });

  it("in a stack without a region, by the suffix that it is deployed with", () => {
    const [regional, own] = decryptionIn({}, "aws").names as object[];
    const joined = (...parts: unknown[]) => ({ "Fn::Join": ["", parts] });
    expect(regional).toEqual(joined("secretsmanager.", { Ref: "AWS::Region" }, ".amazonaws.com"));
    expect(own).toEqual(joined("secretsmanager.", { Ref: "AWS::Region" }, ".", { Ref: "AWS::URLSuffix" }));
  });
});

describe("200 scopes", () => {
  const name = (index: number) => `scope-${String(index).padStart(3, "0")}-${"x".repeat(50)}`;
  const many = (secret: (index: number) => ScopeDefinitions[string]["secret"]): ScopeDefinitions =>
    Object.fromEntries(Array.from({ length: 200 }, (_, index) => [name(index), scopeOf(secret(index))]));
  const arnOf = (index: number) =>
    `arn:aws:secretsmanager:${region}:444455556666:secret:looker/${name(index)}-a1B2c3`;

  it.each([
    ["of this account", many((index) => ({ secretName: `looker/${name(index)}` }))],
    ["of another account", many((index) => ({ secretArn: arnOf(index), encryptionKeyArn: keyArn }))],
  ])(
    "with secrets %s fit into IAM's quotas, each secret named once",
    (_, scopes) => {
      const { ofType, statementsOf } = synthesizedHere({ scopes });
      const managed = ofType("AWS::IAM::ManagedPolicy");
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters, white space apart, and
      // ten managed policies for a role unless the account's quota was raised.
      for (const [, { Properties }] of managed)
        expect(JSON.stringify(Properties.PolicyDocument).replace(/\s/g, "").length).toBeLessThanOrEqual(
          6_144,
        );
      const roles = managed.flatMap(([, { Properties }]) =>
        Properties.Roles.map(({ Ref }: { Ref: string }) => Ref),
      );
      for (const role of new Set(roles))
        expect(roles.filter((each) => each === role).length).toBeLessThanOrEqual(10);
      const secrets = statementsOf("IssueToken").filter(({ Sid }) => Sid === "ReadScopeSecrets");
      const named = secrets.flatMap(({ Resource }) => Resource as string[]);
      expect(named).toHaveLength(200);
      expect(new Set(named).size).toBe(200);
      const decryptable = statementsOf("IssueToken")
        .filter(({ Sid }) => Sid?.startsWith("DecryptScopeSecrets"))
        .flatMap(({ Condition }) => Condition?.StringLike?.["kms:EncryptionContext:SecretARN"] as string[]);
      expect(decryptable).toEqual(named[0]?.includes("444455556666") ? named : []);
    },
    60_000,
  );
});
