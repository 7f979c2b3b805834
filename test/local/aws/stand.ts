import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { RoleCredential } from "../../../local/aws/call.ts";
import { ensureTable, startDynalite, type TableDefinition } from "../../../local/aws/dynamodb.ts";
import { startFront } from "../../../local/aws/front.ts";
import { startKms } from "../../../local/aws/kms.ts";
import { startSecretsManager } from "../../../local/aws/secrets-manager.ts";

export const REGION = "eu-central-1";
export const ACCOUNT = "123456789012";
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
export const OTHER_KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/00000000-12ab-34cd-56ef-1234567890ab`;

export const ISSUE: RoleCredential = {
  accessKeyId: "ASIAISSUE",
  secretAccessKey: "issue-secret",
  sessionToken: "issue-session",
  principalArn: `arn:aws:iam::${ACCOUNT}:role/issue-token`,
  sessionArn: `arn:aws:sts::${ACCOUNT}:assumed-role/issue-token/instance-1`,
};
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

/** Everything as the local run puts it together. SDK clients try once: each fault is to be seen as it comes. */
export async function startStand() {
  const [dynamodb, secretsmanager, kms] = await Promise.all([
    startDynalite(),
    startSecretsManager({ region: REGION, accountId: ACCOUNT }),
    startKms(),
  ]);
  kms.addKey({ arn: KEY_ARN, aliases: ["alias/sealing"] });
  kms.addKey({ arn: OTHER_KEY_ARN });
  await ensureTable({ url: dynamodb.url, region: REGION }, TABLE);
  const held = new Map([ISSUE, LOGOUT].map((credential) => [credential.accessKeyId, credential]));
  const front = await startFront({
    region: REGION,
    credentials: { find: (accessKeyId) => held.get(accessKeyId) },
    engines: { dynamodb: dynamodb.url, secretsmanager: secretsmanager.url, kms: kms.url },
  });
  const clients: { destroy(): void }[] = [];
  const keep = <C extends { destroy(): void }>(client: C): C => {
    clients.push(client);
    return client;
  };
  const settings = (credentials: RoleCredential, region: string) => ({
    endpoint: front.url,
    region,
    credentials,
    maxAttempts: 1,
  });
  return {
    front,
    kms,
    secretsmanager,
    dynamodbClient: (credential = ISSUE, region = REGION) =>
      keep(new DynamoDBClient(settings(credential, region))),
    kmsClient: (credential = ISSUE, region = REGION) => keep(new KMSClient(settings(credential, region))),
    secretsClient: (credential = ISSUE, region = REGION) =>
      keep(new SecretsManagerClient(settings(credential, region))),
    async close() {
      for (const client of clients) client.destroy();
      await front.close();
      await Promise.all([dynamodb.close(), secretsmanager.close(), kms.close()]);
    },
  };
}

export type Stand = Awaited<ReturnType<typeof startStand>>;

/** The error as the SDK throws it. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<Error & { $metadata: { httpStatusCode?: number } }> {
  return promise.then(
    () => {
      throw new Error("expected a refusal");
    },
    (error) => error,
  );
}
