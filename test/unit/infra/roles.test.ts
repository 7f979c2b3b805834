import { type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import { describe, expect, it } from "vitest";
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";
import { keyArn, region, scopeOf, synthesizedForFile, synthesizedHere } from "../../support/synthesized.ts";

const broker = synthesizedForFile();

const functions = ["IssueToken", "Logout", "Operate", "Sweep"];

describe("the roles", () => {
  // On what, and under which conditions: test/security/iam decides that by evaluation.
  it("of the functions allow these actions, and no other", () => {
    const rows = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"];
    const traces = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    const always = [...rows, "kms:Decrypt", "logs:CreateLogStream", "logs:PutLogEvents", ...traces];
    const actionsOf = (construct: string) =>
      [...new Set(broker.statementsOf(construct).flatMap(({ Action }) => Action))].sort();
    expect(Object.fromEntries(functions.map((construct) => [construct, actionsOf(construct)]))).toEqual({
      IssueToken: [...always, "kms:Encrypt", "secretsmanager:GetSecretValue"].sort(),
      Logout: [...always, "dynamodb:Query"].sort(),
      Operate: [...always, "dynamodb:Query"].sort(),
      Sweep: [...always, "dynamodb:Query"].sort(),
    });
  });

  it("of the scheduler starts the sweeper once a minute, without retries, and may do nothing else", () => {
    const sweep = { "Fn::GetAtt": [broker.one("AWS::Lambda::Function", "Sweep")[0], "Arn"] };
    broker.template.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: sweep, RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    const { Policies } = broker.one("AWS::IAM::Role", "SweepSchedule")[1].Properties;
    expect(Policies).toEqual([
      expect.objectContaining({
        PolicyDocument: expect.objectContaining({
          Statement: [expect.objectContaining({ Effect: "Allow", Action: "lambda:InvokeFunction" })],
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
    broker.template.resourceCountIs("AWS::IAM::Role", 5);
    broker.template.resourceCountIs("AWS::IAM::Policy", 4);
    broker.template.resourceCountIs("AWS::IAM::ManagedPolicy", 1);
    for (const [id, { Properties }] of broker.ofType("AWS::IAM::Role")) {
      expect(Properties).not.toHaveProperty("ManagedPolicyArns");
      if (!id.includes("SweepSchedule")) expect(Properties).not.toHaveProperty("Policies");
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
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters, white space apart;
      // ten managed policies for a role unless the account's quota was raised.
      for (const [, { Properties }] of managed)
        expect(JSON.stringify(Properties.PolicyDocument).replace(/\s/g, "").length).toBeLessThanOrEqual(
          6_144,
        );
      expect(managed.length).toBeLessThanOrEqual(10);
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
