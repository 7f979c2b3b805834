import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import type { BrokerSettings } from "../../../infra/stack.ts";
import { matchesEvent } from "../../support/event-pattern.ts";
import { resolved } from "../../support/iam/resolved.ts";
import { account, region, synthesizedHere } from "../../support/synthesized.ts";

const topicArn = `arn:aws:sns:${region}:${account}:on-call`;
const settings: BrokerSettings = (stack) => ({
  alarmTopic: Topic.fromTopicArn(stack, "OnCall", topicArn),
  runbookUrl: "https://git.example.com/runbook.md",
  tellOfPolicyChanges: true,
});
const { stack, resources } = resolved({ settings });
const rule = resources.find(({ type }) => type === "AWS::Events::Rule")?.properties as {
  EventPattern: Record<string, unknown>;
  Description: string;
  Targets: {
    Arn: string;
    InputTransformer: { InputPathsMap: Record<string, string>; InputTemplate: string };
  }[];
};
const tableName = stack.tables[0]?.createTable.TableName ?? "";
const tableArn = `arn:aws:dynamodb:${region}:${account}:table/${tableName}`;
const keyArn = stack.keys[0]?.arn ?? "";
const keyId = keyArn.split("/")[1] ?? "";

/** As CloudTrail has EventBridge pass it on. */
const call = (service: string, eventName: string, detail: object) => ({
  source: `aws.${service}`,
  "detail-type": "AWS API Call via CloudTrail",
  account,
  region,
  detail: { eventSource: `${service}.amazonaws.com`, eventName, ...detail },
});
const onTable = (eventName: string, requestParameters: object) =>
  call("dynamodb", eventName, { requestParameters });
const onKey = (eventName: string, requestParameters: object) => call("kms", eventName, { requestParameters });

describe("the topic is told", () => {
  it.each([
    ["that the table's policy was replaced", onTable("PutResourcePolicy", { resourceArn: tableArn })],
    ["that it was removed", onTable("DeleteResourcePolicy", { resourceArn: tableArn })],
    ["that a stream was switched on, by name", onTable("UpdateTable", { tableName })],
    ["that a stream was switched on, by ARN", onTable("UpdateTable", { tableName: tableArn })],
    [
      "that the table was changed, where only the answer names it",
      call("dynamodb", "UpdateTable", { responseElements: { tableDescription: { tableName } } }),
    ],
    [
      "that it was restored under its own name",
      onTable("RestoreTableFromBackup", { targetTableName: tableName }),
    ],
    ["that it was deleted", onTable("DeleteTable", { tableName })],
    ["that the key's policy was replaced, by id", onKey("PutKeyPolicy", { keyId })],
    ["that the key's policy was replaced, by ARN", onKey("PutKeyPolicy", { keyId: keyArn })],
    ["that the key was granted", onKey("CreateGrant", { keyId: keyArn })],
    ["that the key was disabled", onKey("DisableKey", { keyId })],
    [
      "that the key will be deleted, where only resources name it",
      call("kms", "ScheduleKeyDeletion", { resources: [{ type: "AWS::KMS::Key", ARN: keyArn }] }),
    ],
  ])("%s", (_, event) => {
    expect(matchesEvent(rule.EventPattern, event)).toBe(true);
  });

  it.each([
    ["of another table", onTable("PutResourcePolicy", { resourceArn: `${tableArn}-too` })],
    ["of another key", onKey("PutKeyPolicy", { keyId: "00000000-0000-4000-8000-000000000000" })],
    ["of reading", onTable("GetResourcePolicy", { resourceArn: tableArn })],
    ["of the broker's own work", onKey("Decrypt", { keyId })],
    [
      "by an event that only says so",
      { ...onTable("DeleteTable", { tableName }), "detail-type": "something of an app's own" },
    ],
  ])("nothing %s", (_, event) => {
    expect(matchesEvent(rule.EventPattern, event)).toBe(false);
  });
});

describe("what the topic is told", () => {
  const [target] = rule.Targets;
  const template = target?.InputTransformer.InputTemplate ?? "";

  it("says who did what, what to do, and where the runbook has more", () => {
    expect(rule.Targets).toHaveLength(1);
    expect(target?.Arn).toBe(topicArn);
    expect(Object.values(target?.InputTransformer.InputPathsMap ?? {})).toEqual(
      expect.arrayContaining(["$.detail.userIdentity.arn", "$.detail.eventName", "$.detail.errorCode"]),
    );
    expect(template).toMatch(
      /^"What: .+ Do: .+ Runbook: https:\/\/git\.example\.com\/runbook\.md#policy-changed"$/,
    );
  });

  it("fits with the longest runbook address, as does the rule's description", () => {
    expect(template.length + 400).toBeLessThan(8_192);
    expect(rule.Description.length).toBeLessThanOrEqual(512);
  });
});

it("is not made unless asked for, and not without a topic", () => {
  expect(synthesizedHere().ofType("AWS::Events::Rule")).toEqual([]);
  expect(() => synthesizedHere({ settings: () => ({ tellOfPolicyChanges: true }) })).toThrow(
    /tellOfPolicyChanges: needs an alarmTopic/,
  );
});

it("leaves a topic of the app without a policy of CDK's, which would silence the alarms", () => {
  const { ofType } = synthesizedHere({
    settings: (stack) => ({ alarmTopic: new Topic(stack, "OnCall"), tellOfPolicyChanges: true }),
  });
  expect(ofType("AWS::Events::Rule")).toHaveLength(1);
  expect(ofType("AWS::SNS::TopicPolicy")).toEqual([]);
});
