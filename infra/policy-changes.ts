/**
 * Tells the alarm topic when somebody changes the policy of the table or of the sealing key, or what these rest on.
 * EventBridge hears of it from CloudTrail, and only where a trail records management events:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
 */
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { EventField, type IRuleTarget, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

export interface PolicyChangesProps {
  readonly table: Table;
  readonly sealingKey: IKey;
  readonly topic: ITopic;
  readonly runbookUrl: string;
}

/** Whom rows are open to, whether they are copied elsewhere, and whether they are there at all. */
const tableCalls = [
  "CreateTable",
  "DeleteResourcePolicy",
  "DeleteTable",
  "EnableKinesisStreamingDestination",
  "PutResourcePolicy",
  "RestoreTableFromAwsBackup",
  "RestoreTableFromBackup",
  "RestoreTableToPointInTime",
  "UpdateContinuousBackups",
  "UpdateTable",
  "UpdateTimeToLive",
];

/** Who may open what is sealed, and whether anybody can. */
const keyCalls = ["CreateGrant", "DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"];

export function tellOfPolicyChanges(scope: Construct, props: PolicyChangesProps): Rule {
  const { table, sealingKey, topic, runbookUrl } = props;
  // DynamoDB takes a name or an ARN wherever a table is named, and CloudTrail records what was sent.
  const namesTable = [table.tableName, table.tableArn];
  const namesKey = [sealingKey.keyId, sealingKey.keyArn];
  return new Rule(scope, "PolicyChanges", {
    description: "Looker token broker: somebody changed its table, its sealing key, or a policy of these",
    eventPattern: {
      source: ["aws.dynamodb", "aws.kms"],
      detailType: ["AWS API Call via CloudTrail"],
      detail: {
        $or: [
          { eventName: tableCalls, requestParameters: { tableName: namesTable } },
          { eventName: tableCalls, requestParameters: { resourceArn: [table.tableArn] } },
          { eventName: tableCalls, requestParameters: { targetTableName: namesTable } },
          // The example in DynamoDB's documentation has the table in its answer only.
          { eventName: tableCalls, responseElements: { tableDescription: { tableName: [table.tableName] } } },
          { eventName: keyCalls, requestParameters: { keyId: namesKey } },
          { eventName: keyCalls, resources: { ARN: [sealingKey.keyArn] } },
        ],
      },
    },
    targets: [publish(topic, message(runbookUrl))],
  });
}

/** In the words of an alarm's description. */
const message = (runbookUrl: string) =>
  RuleTargetInput.fromText(
    [
      `What: ${EventField.fromPath("$.detail.userIdentity.arn")} called ${EventField.fromPath("$.detail.eventName")}`,
      `of ${EventField.fromPath("$.detail.eventSource")} at ${EventField.fromPath("$.detail.eventTime")}`,
      `on the Looker token broker's table or sealing key, in account ${EventField.fromPath("$.account")}, ${EventField.fromPath("$.region")}`,
      `(error: ${EventField.fromPath("$.detail.errorCode")}).`,
      "Do: If no deployment is under way, compare the policies with what the stack wrote down, and put them back.",
      `Runbook: ${runbookUrl}#policy-changed`,
    ].join(" "),
  );

/**
 * Not CDK's `SnsTopic`, which gives a topic of the app a policy that allows EventBridge. That takes the place of the
 * topic's first policy, by which CloudWatch publishes: the alarms would fall silent.
 */
const publish = (topic: ITopic, input: RuleTargetInput): IRuleTarget => ({
  bind: () => ({ arn: topic.topicArn, input, targetResource: topic }),
});
