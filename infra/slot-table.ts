/** The one table: slots and control rows, and who may read or write them. */
import { type RemovalPolicy, Validations } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table } from "aws-cdk-lib/aws-dynamodb";
import { AnyPrincipal, Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { table } from "../functions/contract.ts";

export interface SlotTableProps {
  readonly deletionProtection: boolean;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Every action that reads or writes rows, wherever it is asked for. Transactions are authorised as the actions that
 * they are made of.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html
 */
const rowActions = [
  "BatchGetItem",
  "BatchWriteItem",
  "ConditionCheckItem",
  "DeleteItem",
  "ExportTableToPointInTime",
  "GetItem",
  "PartiQLDelete",
  "PartiQLInsert",
  "PartiQLSelect",
  "PartiQLUpdate",
  "PutItem",
  "Query",
  "Scan",
  "UpdateItem",
].map((action) => `dynamodb:${action}`);

export function slotTable(scope: Construct, props: SlotTableProps): Table {
  // `Table`, not `TableV2`: a replica would make conditional writes last-writer-wins, and this one has none to give.
  const slots = new Table(scope, "Table", {
    partitionKey: { name: table.partitionKey, type: AttributeType.STRING },
    sortKey: { name: table.sortKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: table.ttl,
    deletionProtection: props.deletionProtection,
    // A lost row is a live token that nobody can revoke any more.
    removalPolicy: props.removalPolicy,
    // No point-in-time recovery: a restored table would bring back leases that were revoked since, and forget
    // tokens that were made since. A table that is lost is made anew, empty; tokens end within the hour.
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: false },
  });
  slots.addGlobalSecondaryIndex({
    indexName: table.dueIndex.name,
    partitionKey: { name: table.dueIndex.partitionKey, type: AttributeType.STRING },
    sortKey: { name: table.dueIndex.sortKey, type: AttributeType.NUMBER },
    projectionType: ProjectionType.KEYS_ONLY,
  });
  Validations.of(slots).acknowledge({
    id: "AwsSolutions::AwsSolutions-DDB3",
    reason:
      "Restored rows would bring back revoked leases; what the table holds ends within the hour anyway.",
  });
  return slots;
}

/**
 * Whatever an IAM policy elsewhere in the account grants, rows are for these principals alone. Only actions on rows:
 * CloudFormation, and whoever administers the table itself, are never in the way of this.
 */
export function denyRowsToOthers(slots: Table, principalArns: string[]): void {
  slots.addToResourcePolicy(
    new PolicyStatement({
      sid: "DenyRowsToOthers",
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: rowActions,
      // The table and its indexes. Its ARN in its own policy would be a circular dependency.
      resources: ["*"],
      conditions: { ArnNotEquals: { "aws:PrincipalArn": principalArns } },
    }),
  );
}
