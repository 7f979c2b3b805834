/**
 * What the functions' roles may do, written by hand: CDK's `grant*` methods give more actions than are used, and
 * indexes with the table. One function a grant; the one `Resource: '*'` is X-Ray's, which has no resources.
 */
import { Arn, ArnFormat, type Stack } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { ScopeDefinition, ScopeDefinitions } from "../functions/core/scope.ts";

/** Slots and control rows, read and conditionally written by key. No Scan, no Query, no index. */
export function readAndWriteRows(table: Table): PolicyStatement {
  return new PolicyStatement({
    sid: "ReadAndWriteRows",
    actions: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"],
    resources: [table.tableArn],
  });
}

/** Everything in a scope, for operators. */
export function queryRows(table: Table): PolicyStatement {
  return new PolicyStatement({ sid: "QueryRows", actions: ["dynamodb:Query"], resources: [table.tableArn] });
}

/** What is due, for the sweeper: keys alone, each of which is read again from the table. */
export function queryDueRows(table: Table, indexName: string): PolicyStatement {
  return new PolicyStatement({
    sid: "QueryDueRows",
    actions: ["dynamodb:Query"],
    resources: [`${table.tableArn}/index/${indexName}`],
  });
}

/** `Encrypt` is for the function that mints; whoever only revokes opens what is sealed. */
export function useSealingKey(key: IKey, ...verbs: ("Encrypt" | "Decrypt")[]): PolicyStatement {
  return new PolicyStatement({
    sid: "UseSealingKey",
    actions: verbs.map((verb) => `kms:${verb}`),
    resources: [key.keyArn],
  });
}

/** The secrets that the scopes name, and the customer managed keys that encrypt them. */
export function readScopeSecrets(stack: Stack, scopes: ScopeDefinitions): PolicyStatement[] {
  const definitions = Object.values(scopes);
  const arnsByKey = new Map<string, string[]>();
  for (const { secret } of definitions) {
    const { encryptionKeyArn } = secret;
    if (encryptionKeyArn === undefined) continue;
    arnsByKey.set(encryptionKeyArn, [...(arnsByKey.get(encryptionKeyArn) ?? []), secretArn(stack, secret)]);
  }
  return [
    new PolicyStatement({
      sid: "ReadScopeSecrets",
      actions: ["secretsmanager:GetSecretValue"],
      resources: unique(definitions.map(({ secret }) => secretArn(stack, secret))),
    }),
    ...[...arnsByKey].map(
      ([keyArn, secretArns], index) =>
        new PolicyStatement({
          sid: `DecryptScopeSecrets${index}`,
          actions: ["kms:Decrypt"],
          resources: [keyArn],
          conditions: {
            StringEquals: { "kms:ViaService": `secretsmanager.${stack.region}.amazonaws.com` },
            // Secrets Manager always sends this context: a key may encrypt other secrets that are not ours.
            // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
            StringLike: { "kms:EncryptionContext:SecretARN": unique(secretArns) },
          },
        }),
    ),
  ];
}

/**
 * Secrets Manager appends a hyphen and six random characters to a secret's name in its ARN; `??????` is AWS's own
 * advice for naming a secret by name, since `*` would let `looker/sales` name `looker/sales-admin-a1B2c3` too.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
 */
function secretArn(stack: Stack, { secretName, secretArn }: ScopeDefinition["secret"]): string {
  if (secretArn !== undefined) return secretArn;
  const format = ArnFormat.COLON_RESOURCE_NAME;
  const resourceName = `${secretName}-??????`;
  return Arn.format(
    { service: "secretsmanager", resource: "secret", resourceName, arnFormat: format },
    stack,
  );
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

const unique = (texts: string[]) => [...new Set(texts)];
