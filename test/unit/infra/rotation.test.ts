import { describe, expect, it } from "vitest";
import {
  account,
  region,
  rotatingScopes,
  scopeOf,
  synthesizedForFile,
  synthesizedHere,
} from "../../support/synthesized.ts";

const broker = synthesizedForFile({ scopes: rotatingScopes });
const [rotator, { Properties: rotatorProperties }] = broker.one("AWS::Lambda::Function", "RotateSecret");
const rotatorArn = { "Fn::GetAtt": [rotator, "Arn"] };
const secretOf = (id: string) => (id.includes("sales") ? "looker/sales" : "looker/finance");

describe("a broker with secrets that rotate", () => {
  it("has Secrets Manager rotate each of them, and not at a deployment", () => {
    const schedules = broker.ofType("AWS::SecretsManager::RotationSchedule");
    expect(schedules.map(([, { Properties }]) => Properties)).toEqual([
      {
        SecretId: "looker/sales",
        RotationLambdaARN: rotatorArn,
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediatelyOnUpdate: false,
      },
      {
        SecretId: "looker/finance",
        RotationLambdaARN: rotatorArn,
        RotationRules: { AutomaticallyAfterDays: 7 },
        RotateImmediatelyOnUpdate: false,
      },
    ]);
  });

  it("lets Secrets Manager invoke the function for exactly these secrets, before it is told to", () => {
    const all = broker.ofType("AWS::Lambda::Permission").filter(([id]) => id.includes("Rotations"));
    expect(all).toHaveLength(2);
    for (const [id, { Properties }] of all) {
      expect(Properties).toEqual({
        Action: "lambda:InvokeFunction",
        FunctionName: rotatorArn,
        Principal: "secretsmanager.amazonaws.com",
        SourceAccount: account,
        SourceArn: `arn:aws:secretsmanager:${region}:${account}:secret:${secretOf(id)}-??????`,
      });
      const schedule = broker
        .ofType("AWS::SecretsManager::RotationSchedule")
        .find(([, each]) => each.Properties.SecretId === secretOf(id));
      expect(schedule?.[1].DependsOn).toContain(id);
    }
  });

  it("knows table and broker in the function, and no sealing key", () => {
    expect(rotatorProperties).toMatchObject({
      Timeout: 120,
      Environment: {
        Variables: {
          TABLE_NAME: { Ref: broker.one("AWS::DynamoDB::Table")[0] },
          BROKER_NAME: "looker-token-broker/Broker",
          ACCOUNT_ID: account,
        },
      },
    });
    expect(JSON.stringify(rotatorProperties)).not.toContain("SEALING_KEY");
    expect(rotatorProperties).not.toHaveProperty("ReservedConcurrentExecutions");
  });

  it("retires old pairs every five minutes, without retries", () => {
    expect(broker.one("AWS::Scheduler::Schedule", "Retirement")[1].Properties).toMatchObject({
      ScheduleExpression: "rate(5 minutes)",
      Target: { Arn: rotatorArn, RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 300 } },
    });
    expect(broker.one("AWS::Lambda::EventInvokeConfig", "RotateSecret")[1].Properties).toMatchObject({
      MaximumRetryAttempts: 0,
    });
  });
});

it("a secret of two scopes has one schedule", () => {
  const secret = { secretName: "looker/sales", rotation: { everyDays: 30 } };
  const scopes = {
    one: scopeOf({ secretName: "looker/sales" }),
    two: scopeOf(secret),
    three: scopeOf(secret),
  };
  const { template } = synthesizedHere({ scopes });
  template.resourceCountIs("AWS::SecretsManager::RotationSchedule", 1);
});

it("a broker without such a secret has nothing of it", () => {
  const { resources, stack } = synthesizedHere();
  expect(Object.keys(resources).filter((id) => /Rotat|Retirement/.test(id))).toEqual([]);
  expect(stack.broker.rotateSecret).toBeUndefined();
});
