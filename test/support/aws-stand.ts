import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { RoleCredential } from "../../local/aws/call.ts";
import { ensureTable, startDynalite, type TableDefinition } from "../../local/aws/dynamodb.ts";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import { startKms } from "../../local/aws/kms.ts";
import { startSecretsManager } from "../../local/aws/secrets-manager.ts";
import { ACCOUNT, behindAwsProxy, ISSUE, REGION } from "./contracts/aws-under-test.ts";

export { ACCOUNT, errorOf, ISSUE, REGION } from "./contracts/aws-under-test.ts";

export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const OTHER_KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/00000000-12ab-34cd-56ef-1234567890ab`;

export const LOGOUT: RoleCredential = {
  accessKeyId: "ASIALOGOUT",
  secretAccessKey: "logout-secret",
  principalArn: `arn:aws:iam::${ACCOUNT}:role/logout`,
};

export const TABLE: TableDefinition = {
  TableName: "leases",
  AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
  KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
  BillingMode: "PAY_PER_REQUEST",
  TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
};

/** Everything as the local run puts it together, on the stand-ins. */
export async function startStand() {
  const [dynamodb, secretsmanager, kms] = await Promise.all([
    startDynalite(),
    startSecretsManager({ region: REGION, accountId: ACCOUNT }),
    startKms(),
  ]);
  kms.addKey({ arn: KEY_ARN, aliases: ["alias/sealing"] });
  kms.addKey({ arn: OTHER_KEY_ARN });
  const engine = new DynamoDBClient({
    endpoint: dynamodb.url,
    region: REGION,
    credentials: ENGINE_CREDENTIAL,
  });
  await ensureTable(engine, TABLE);
  engine.destroy();
  const engines = {
    urls: { dynamodb: dynamodb.url, secretsmanager: secretsmanager.url, kms: kms.url },
    keyArn: KEY_ARN,
    alias: "alias/sealing",
    otherKeyArn: OTHER_KEY_ARN,
    async close() {
      await Promise.all([dynamodb.close(), secretsmanager.close(), kms.close()]);
    },
  };
  const aws = await behindAwsProxy(engines, [ISSUE, LOGOUT]);
  return {
    ...aws,
    kms,
    secretsmanager,
    dynamodbClient: (credentials = ISSUE, region = REGION) =>
      aws.keep(new DynamoDBClient({ endpoint: aws.awsProxy.url, maxAttempts: 1, credentials, region })),
  };
}

export type Stand = Awaited<ReturnType<typeof startStand>>;
