import { RemovalPolicy } from "aws-cdk-lib";
import { describe, expect, it } from "vitest";
import {
  account,
  rotatingScopes,
  type Statement,
  synthesizedForFile,
  synthesizedHere,
} from "../../support/synthesized.ts";

const broker = synthesizedForFile();

const roleArn = (construct: string) => ({
  "Fn::GetAtt": [broker.one("AWS::IAM::Role", `${construct}Role`)[0], "Arn"],
});
const roleArns = () => ["IssueToken", "Logout", "Operate", "Sweep", "CheckAccount"].map(roleArn);

describe("the table", () => {
  it("is on demand with TTL and the sparse index, protected and retained, without replicas or restoration", () => {
    broker.template.hasResource("AWS::DynamoDB::Table", {
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
        GlobalSecondaryIndexes: [
          {
            IndexName: "due",
            KeySchema: [
              { AttributeName: "due_shard", KeyType: "HASH" },
              { AttributeName: "due_at", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "KEYS_ONLY" },
          },
        ],
      },
    });
    broker.template.resourceCountIs("AWS::DynamoDB::GlobalTable", 0);
  });

  it("denies every action on rows to all but the functions' roles", () => {
    const { Statement } = broker.one("AWS::DynamoDB::Table")[1].Properties.ResourcePolicy.PolicyDocument;
    expect(Statement).toEqual([
      {
        Sid: "DenyRowsToOthers",
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: [
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:ConditionCheckItem",
          "dynamodb:DeleteItem",
          "dynamodb:ExportTableToPointInTime",
          "dynamodb:GetItem",
          "dynamodb:PartiQLDelete",
          "dynamodb:PartiQLInsert",
          "dynamodb:PartiQLSelect",
          "dynamodb:PartiQLUpdate",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:Scan",
          "dynamodb:UpdateItem",
        ],
        Resource: "*",
        Condition: { ArnNotEquals: { "aws:PrincipalArn": roleArns() } },
      },
    ]);
  });

  it("is open to the rotating function, and the sealing key is not", () => {
    const { one } = synthesizedHere({ scopes: rotatingScopes });
    const [role] = one("AWS::IAM::Role", "RotateSecretRole");
    expect(JSON.stringify(one("AWS::DynamoDB::Table")[1].Properties.ResourcePolicy)).toContain(role);
    expect(JSON.stringify(one("AWS::KMS::Key")[1].Properties.KeyPolicy)).not.toContain(role);
  });

  it("is open to a break-glass role that is named, beside the functions' roles", () => {
    const arn = `arn:aws:iam::${account}:role/security/break-glass`;
    const { one } = synthesizedHere({ settings: () => ({ breakGlassArns: [arn] }) });
    const [statement]: Statement[] =
      one("AWS::DynamoDB::Table")[1].Properties.ResourcePolicy.PolicyDocument.Statement;
    const except = statement?.Condition?.ArnNotEquals?.["aws:PrincipalArn"];
    expect(except).toHaveLength(6);
    expect(except).toContain(arn);
  });

  it("can be told to go with the stack, as key and logs can", () => {
    const { template, resources } = synthesizedHere({
      settings: () => ({ deletionProtection: false, removalPolicy: RemovalPolicy.DESTROY }),
    });
    template.hasResourceProperties("AWS::DynamoDB::Table", { DeletionProtectionEnabled: false });
    expect(
      Object.values(resources).filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith("Retain")),
    ).toEqual([]);
  });
});

describe("the sealing key", () => {
  it("rotates, is retained, and has a name", () => {
    broker.template.hasResource("AWS::KMS::Key", {
      // But not when the deployment that makes it fails.
      DeletionPolicy: "RetainExceptOnCreate",
      Properties: { EnableKeyRotation: true },
    });
    broker.template.hasResourceProperties("AWS::KMS::Alias", {
      AliasName: "alias/looker-token-broker/Broker/sealing-key",
    });
  });

  it("lets IAM grant its use to the functions' roles only, and to the account all that is not use", () => {
    const statements: Statement[] = broker.one("AWS::KMS::Key")[1].Properties.KeyPolicy.Statement;
    const root = { AWS: `arn:aws:iam::${account}:root` };
    expect(statements).toEqual([
      { Sid: "Administer", Effect: "Allow", Principal: root, Resource: "*", Action: expect.any(Array) },
      {
        Sid: "Seal",
        Effect: "Allow",
        Principal: root,
        Resource: "*",
        Action: "kms:Encrypt",
        Condition: { ArnEquals: { "aws:PrincipalArn": [roleArn("IssueToken"), roleArn("CheckAccount")] } },
      },
      {
        Sid: "Open",
        Effect: "Allow",
        Principal: root,
        Resource: "*",
        Action: "kms:Decrypt",
        Condition: { ArnEquals: { "aws:PrincipalArn": roleArns() } },
      },
    ]);
    const [administer] = statements;
    // A grant would give away what the statement itself does not.
    expect(JSON.stringify(administer?.Action)).not.toMatch(/crypt|GenerateDataKey|CreateGrant|\*/i);
    // Without these nobody could ever mend the policy: KMS refuses such a key.
    expect(administer?.Action).toEqual(
      expect.arrayContaining(["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]),
    );
  });
});

it("retains the logs, which are the audit record", () => {
  broker.template.allResources("AWS::Logs::LogGroup", { DeletionPolicy: "RetainExceptOnCreate" });
});
