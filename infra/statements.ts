/**
 * What the functions' roles may do, written by hand: CDK's `grant*` methods give more actions than are used, and
 * indexes with the table. One function a grant; `Resource: '*'` stands only where AWS knows no resources.
 */
import { Arn, ArnFormat, type Stack } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { RegionInfo } from "aws-cdk-lib/region-info";
import { sealContextKeys } from "../functions/contract.ts";
import type { ScopeDefinition, ScopeDefinitions } from "../functions/domain/scope.ts";

/** Slots and control rows, read and conditionally written by key. No Scan, no Query, no index. */
export function readAndWriteRows(table: Table): PolicyStatement {
  return new PolicyStatement({
    sid: "ReadAndWriteRows",
    actions: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"],
    resources: [table.tableArn],
  });
}

/** For operators, everything in a scope. For a caller's logout, all slots of the caller. */
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

/**
 * `Encrypt` is for the function that mints; whoever only revokes opens what is sealed. Under exactly our encryption
 * context: each key present, no other, and this table's name (`ForAllValues` alone would allow no context at all).
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys
 */
export function useSealingKey(key: IKey, table: Table, ...verbs: ("Encrypt" | "Decrypt")[]): PolicyStatement {
  return new PolicyStatement({
    sid: "UseSealingKey",
    actions: verbs.map((verb) => `kms:${verb}`),
    resources: [key.keyArn],
    conditions: {
      StringEquals: { "kms:EncryptionContext:table": table.tableName },
      Null: Object.fromEntries(sealContextKeys.map((name) => [`kms:EncryptionContext:${name}`, "false"])),
      "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": [...sealContextKeys] },
    },
  });
}

/**
 * The secrets that the scopes name, and the customer managed keys that encrypt them, as lists that each fit into one
 * managed policy: each secret is named in full, and a broker of 200 scopes has more of them than one policy holds.
 */
export function readScopeSecrets(stack: Stack, scopes: ScopeDefinitions): PolicyStatement[][] {
  // Scopes may share a secret, and any of them may name its key.
  const secrets = new Map<string, string>();
  for (const { secret } of Object.values(scopes)) {
    const arn = secretArn(stack, secret);
    secrets.set(arn, secret.encryptionKeyArn ?? secrets.get(arn) ?? "");
  }
  // Secrets of one key side by side: a key costs a statement in each policy that it is in.
  const sorted = [...secrets].toSorted(([, a], [, b]) => a.localeCompare(b));
  return packed(sorted).map((chunk) => secretStatements(stack, chunk));
}

/** The key is "" where it is the account's `aws/secretsmanager`, which needs no permission. */
type Secret = readonly [arn: string, keyArn: string];

/**
 * Of the 6,144 characters of a managed policy, what is left beside the document's frame. A role has at most ten, unless
 * its account's quota was raised. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const policyCharacters = 5_950;
/** A key's statement, without the secrets' ARNs in it. */
const keyCharacters = 400;

function packed(secrets: readonly Secret[]): Secret[][] {
  const chunks: Secret[][] = [];
  for (const secret of secrets) {
    const last = chunks.at(-1);
    if (last && characters([...last, secret]) <= policyCharacters) last.push(secret);
    else chunks.push([secret]);
  }
  return chunks;
}

/** Of these secrets' statements in a policy. */
function characters(secrets: readonly Secret[]): number {
  // The ARN of a secret with a key stands in the key's condition too.
  const arns = secrets.reduce((sum, [arn, keyArn]) => sum + (keyArn ? 2 : 1) * (arn.length + 3), 0);
  return keysOf(secrets).length * keyCharacters + arns;
}

const keysOf = (secrets: readonly Secret[]) => [
  ...new Set(secrets.map(([, keyArn]) => keyArn).filter(Boolean)),
];

function secretStatements(stack: Stack, secrets: readonly Secret[]): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: "ReadScopeSecrets",
      actions: ["secretsmanager:GetSecretValue"],
      resources: secrets.map(([arn]) => arn),
    }),
    ...keysOf(secrets).map(
      (keyArn, index) =>
        new PolicyStatement({
          sid: `DecryptScopeSecrets${index}`,
          actions: ["kms:Decrypt"],
          resources: [keyArn],
          conditions: {
            StringEquals: { "kms:ViaService": secretsManager(stack) },
            // Secrets Manager always sends this context: a key may encrypt other secrets that are not ours.
            // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
            StringLike: {
              "kms:EncryptionContext:SecretARN": secrets
                .filter(([, each]) => each === keyArn)
                .map(([arn]) => arn),
            },
          },
        }),
    ),
  ];
}

/**
 * Names of Secrets Manager for KMS. AWS documents `SERVICE.REGION.amazonaws.com`, and policies in partitions with a domain of
 * their own, such as China's, name that domain. KMS alone sets the value, so both names are safe, and one of them is right.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
function secretsManager({ region, urlSuffix }: Stack): string | string[] {
  const suffix = RegionInfo.get(region).domainSuffix ?? urlSuffix;
  const names = new Set(["amazonaws.com", suffix].map((domain) => `secretsmanager.${region}.${domain}`));
  const [only = "", ...more] = names;
  return more.length === 0 ? only : [only, ...more];
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
