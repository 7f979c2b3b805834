/** With the functions' real credentials: what the template does not allow is refused at the AWS proxy, as AWS would. */
import { DynamoDBClient, QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { beforeEach, describe, expect, test } from "vitest";
import { sealContextKeys, table } from "../../functions/contract.ts";
import { callerOf, sharedStand } from "../support/broker-stand.ts";

const stand = sharedStand();
beforeEach(() => stand.broker.awsProxy.clearCalls());

/** What its instances sign with, or a local principal's keys. */
function clientOptions(who: string) {
  const { broker } = stand;
  const environment = broker.stack.functions.some(({ id }) => id === who) && broker.environmentOf(who);
  return {
    endpoint: broker.awsProxy.url,
    region: broker.region,
    maxAttempts: 1,
    credentials: environment
      ? {
          accessKeyId: environment.AWS_ACCESS_KEY_ID ?? "",
          secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? "",
          sessionToken: environment.AWS_SESSION_TOKEN ?? "",
        }
      : callerOf(stand, who).principal,
  };
}

const rows = (who: string) => new DynamoDBClient(clientOptions(who));
const seals = (who: string) => new KMSClient(clientOptions(who));
const secrets = (who: string) => new SecretsManagerClient(clientOptions(who));
const scan = () => new ScanCommand({ TableName: stand.broker.tableName });
const queryDue = () =>
  new QueryCommand({
    TableName: stand.broker.tableName,
    IndexName: table.dueIndex.name,
    KeyConditionExpression: `${table.dueIndex.partitionKey} = :shard`,
    ExpressionAttributeValues: { ":shard": { S: "0" } },
  });
const readSecret = () => new GetSecretValueCommand({ SecretId: "looker/sales" });

const context = (more: Record<string, string> = {}): Record<string, string> => ({
  ...Object.fromEntries(sealContextKeys.map((name) => [name, `any ${name}`])),
  table: stand.broker.tableName,
  ...more,
});
const KeyId = () => stand.broker.stack.keys[0]?.arn ?? "";
const encrypt = (EncryptionContext = context()) =>
  new EncryptCommand({ KeyId: KeyId(), Plaintext: Buffer.from("text"), EncryptionContext });
const decrypt = (CiphertextBlob: Uint8Array, EncryptionContext?: Record<string, string>) =>
  new DecryptCommand({ KeyId: KeyId(), CiphertextBlob, ...(EncryptionContext && { EncryptionContext }) });
async function sealed(EncryptionContext = context()): Promise<Uint8Array> {
  const { CiphertextBlob } = await seals("issue-token").send(encrypt(EncryptionContext));
  return CiphertextBlob ?? new Uint8Array();
}

/** The function of that name is told, in AWS's words, that it may not do that. */
async function expectDenied(work: Promise<unknown>, who: string, action: string, cause: string) {
  const { roleArn, name } = stand.broker.stack.functions.find(({ id }) => id === who) ?? {};
  const session = roleArn?.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
  const error = await work.then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.name).toBe("AccessDeniedException");
  expect(
    error?.message.startsWith(`User: ${session}/${name} is not authorized to perform: ${action} on `),
  ).toBe(true);
  expect(error?.message.endsWith(` ${cause}`)).toBe(true);
  expect(stand.broker.awsProxy.calls().at(-1)).toMatchObject({
    status: 400,
    errorType: "AccessDeniedException",
  });
}
const notAllowed = (action: string) => `because no identity-based policy allows the ${action} action`;

describe("the AWS proxy refuses", () => {
  test.each(["logout", "operate", "sweep"])("%s a client secret", async (who) => {
    const action = "secretsmanager:GetSecretValue";
    await expectDenied(secrets(who).send(readSecret()), who, action, notAllowed(action));
  });

  test("issue-token another secret than the scopes'", async () => {
    const work = secrets("issue-token").send(new GetSecretValueCommand({ SecretId: "looker/sales-admin" }));
    const action = "secretsmanager:GetSecretValue";
    await expectDenied(work, "issue-token", action, notAllowed(action));
  });

  test.each(["issue-token", "logout", "operate", "sweep"])("%s a scan", async (who) => {
    await expectDenied(rows(who).send(scan()), who, "dynamodb:Scan", notAllowed("dynamodb:Scan"));
  });

  test.each(["issue-token", "logout", "operate"])("%s a query of the sweeper's index", async (who) => {
    await expectDenied(rows(who).send(queryDue()), who, "dynamodb:Query", notAllowed("dynamodb:Query"));
  });

  test.each(["logout", "operate", "sweep"])("%s to seal anything, by the key's own policy", async (who) => {
    const cause = "because no resource-based policy allows the kms:Encrypt action";
    await expectDenied(seals(who).send(encrypt()), who, "kms:Encrypt", cause);
  });

  test("issue-token a seal under another table's name", async () => {
    const work = seals("issue-token").send(encrypt(context({ table: "another" })));
    await expectDenied(work, "issue-token", "kms:Encrypt", notAllowed("kms:Encrypt"));
  });

  test("everybody a token opened under one key more, one less, or none", async () => {
    const ciphertext = await sealed();
    const { lease_id: _, ...oneLess } = context();
    for (const who of ["issue-token", "logout", "operate", "sweep"])
      for (const wrong of [context({ more: "x" }), oneLess, {}, undefined])
        await expectDenied(
          seals(who).send(decrypt(ciphertext, wrong)),
          who,
          "kms:Decrypt",
          notAllowed("kms:Decrypt"),
        );
  });

  test("the administrator a token, whatever his policies say", async () => {
    const work = seals("administrator").send(decrypt(await sealed(), context()));
    await expect(work).rejects.toThrow(/because no resource-based policy allows the kms:Decrypt action$/);
  });
});

test("the AWS proxy lets the functions do what they are for", async () => {
  const { SecretString } = await secrets("issue-token").send(readSecret());
  expect(SecretString === undefined).toBe(false);
  await expect(rows("sweep").send(queryDue())).resolves.toMatchObject({ Count: expect.any(Number) });
  for (const who of ["issue-token", "logout", "operate", "sweep"]) {
    const { Plaintext } = await seals(who).send(decrypt(await sealed(), context()));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe("text");
  }
});

test("rows are the functions' and the emergency role's: nobody else's, whatever his policies say", async () => {
  await expect(rows("administrator").send(scan())).resolves.toBeDefined();
  await expect(rows("report-service").send(scan())).rejects.toThrow(
    /with an explicit deny in a resource-based policy$/,
  );
});
