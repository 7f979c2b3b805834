/**
 * What the functions' roles may do, written by hand: CDK's `grant*` methods give more actions than are used, and
 * indexes with the table. secret-statements.ts has those about secrets. One function a grant; `Resource: '*'` stands only where AWS knows no resources.
 */
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { sealContextKeys } from "../functions/contract.ts";

/**
 * Slots and control rows, read and conditionally written by key. No Scan, no Query, no index.
 * @param partitions patterns of partition keys. @default all rows
 */
export function readAndWriteRows(table: Table, partitions?: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    sid: "ReadAndWriteRows",
    actions: ["dynamodb:GetItem", "dynamodb:PutItem"],
    resources: [table.tableArn],
    ...(partitions && { conditions: onPartitions(partitions) }),
  });
}

/** A slot and its control rows at once, for functions that give leases. */
export function readRowsTogether(table: Table): PolicyStatement {
  return new PolicyStatement({
    sid: "ReadRowsTogether",
    actions: ["dynamodb:BatchGetItem"],
    resources: [table.tableArn],
  });
}

/**
 * For operators, everything in a scope. For a caller's logout, all slots of the caller.
 * @param partitions as above
 */
export function queryRows(table: Table, partitions?: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    sid: "QueryRows",
    actions: ["dynamodb:Query"],
    resources: [table.tableArn],
    ...(partitions && { conditions: onPartitions(partitions) }),
  });
}

/**
 * `ForAllValues` alone would allow a call without the key.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const onPartitions = (patterns: readonly string[]) => ({
  "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [...patterns] },
  Null: { "dynamodb:LeadingKeys": "false" },
});

/** What is due, for the sweeper: keys alone, each of which is read again from the table. */
export function queryDueRows(table: Table, indexName: string): PolicyStatement {
  return new PolicyStatement({
    sid: "QueryDueRows",
    actions: ["dynamodb:Query"],
    resources: [`${table.tableArn}/index/${indexName}`],
  });
}

/**
 * `Encrypt` is for the function that mints; whoever only revokes opens what is sealed. Under exactly our encryption
 * context: each key present, no other, and this table's name (`ForAllValues` alone would allow no context at all).
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys
 */
export function useSealingKey(
  key: IKey,
  table: Table,
  verbs: readonly ("Encrypt" | "Decrypt")[],
  context: Partial<Record<(typeof sealContextKeys)[number], string>> = {},
): PolicyStatement {
  const values = Object.entries({ table: table.tableName, ...context });
  return new PolicyStatement({
    sid: "UseSealingKey",
    actions: verbs.map((verb) => `kms:${verb}`),
    resources: [key.keyArn],
    conditions: {
      StringEquals: Object.fromEntries(
        values.map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
      ),
      Null: Object.fromEntries(sealContextKeys.map((name) => [`kms:EncryptionContext:${name}`, "false"])),
      "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": [...sealContextKeys] },
    },
  });
}

/** Its own log group only, which the stack has already made. */
export function writeLogs(logGroup: ILogGroup): PolicyStatement {
  return new PolicyStatement({
    sid: "WriteLogs",
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [logGroup.logGroupArn],
  });
}

/** For active tracing. These two actions support no resource-level permissions: `*` is all that one can write. */
export function writeTraces(): PolicyStatement {
  return new PolicyStatement({
    sid: "WriteTraces",
    actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    resources: ["*"],
  });
}

/**
 * For functions in a VPC: Lambda itself makes and removes their network interfaces, with the role's permissions. The
 * condition keeps these from the function's own code. https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
export function useNetworkInterfaces(): PolicyStatement[] {
  const actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];
  return [
    new PolicyStatement({
      sid: "UseNetworkInterfaces",
      actions,
      resources: ["*"],
    }),
    new PolicyStatement({
      sid: "OnlyLambdaItself",
      effect: Effect.DENY,
      actions,
      resources: ["*"],
      // Present only in calls that the function's code makes.
      conditions: { Null: { "lambda:SourceFunctionArn": "false" } },
    }),
  ];
}
