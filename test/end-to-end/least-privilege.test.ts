/** With the functions' real credentials: what the template does not allow is refused at the AWS proxy, as AWS would. */
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sealContextKeys, sealContextOfChecks, table } from "../../functions/contract.ts";
import { callerOf, sharedStand } from "../support/broker-stand.ts";

const stand = sharedStand({ rotates: true });
const functions = ["issue-token", "logout", "operate", "sweep", "check-account", "rotate-secret"];
// The functions' own calls are over: Secrets Manager has tested the rotation.
beforeAll(() => stand.broker.engines.rotations?.settled());
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
const readSecret = (SecretId = "looker/sales") => new GetSecretValueCommand({ SecretId });
const writeSecret = (SecretId: string) =>
  new PutSecretValueCommand({ SecretId, SecretString: "{}", VersionStages: ["AWSPENDING"] });
const readRow = (pk: string, sk = "#control") =>
  new GetItemCommand({ TableName: stand.broker.tableName, Key: { pk: { S: pk }, sk: { S: sk } } });
const writeRow = (pk: string) =>
  new PutItemCommand({ TableName: stand.broker.tableName, Item: { pk: { S: pk }, sk: { S: "#control" } } });
const queryRows = (partition: string) =>
  new QueryCommand({
    TableName: stand.broker.tableName,
    KeyConditionExpression: "pk = :pk",
    ExpressionAttributeValues: { ":pk": { S: partition } },
  });

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

  test.each(["issue-token", "check-account"])("%s another secret than the scopes'", async (who) => {
    const action = "secretsmanager:GetSecretValue";
    for (const name of ["looker/sales-admin", "looker/rotator"])
      await expectDenied(secrets(who).send(readSecret(name)), who, action, notAllowed(action));
  });

  test("rotate-secret a secret that does not rotate, and a new value of an administrator's", async () => {
    const [who, read, write] = [
      "rotate-secret",
      "secretsmanager:GetSecretValue",
      "secretsmanager:PutSecretValue",
    ];
    await expectDenied(secrets(who).send(readSecret("looker/finance")), who, read, notAllowed(read));
    for (const name of ["looker/finance", "looker/rotator"])
      await expectDenied(secrets(who).send(writeSecret(name)), who, write, notAllowed(write));
  });

  test("rotate-secret the rows of a scope, freezes and leases among them", async () => {
    const who = "rotate-secret";
    const client = rows(who);
    const denied = (work: Promise<unknown>, action: string) =>
      expectDenied(work, who, action, notAllowed(action));
    await denied(client.send(readRow("scope#sales")), "dynamodb:GetItem");
    for (const partition of ["scope#sales", "scope#sales#3"])
      await denied(client.send(writeRow(partition)), "dynamodb:PutItem");
    for (const partition of ["scope#sales", "secret#looker/sales"])
      await denied(client.send(queryRows(partition)), "dynamodb:Query");
  });

  test.each(functions)("%s a scan", async (who) => {
    await expectDenied(rows(who).send(scan()), who, "dynamodb:Scan", notAllowed("dynamodb:Scan"));
  });

  test.each(functions.filter((name) => name !== "sweep"))(
    "%s a query of the sweeper's index",
    async (who) => {
      await expectDenied(rows(who).send(queryDue()), who, "dynamodb:Query", notAllowed("dynamodb:Query"));
    },
  );

  test.each(["logout", "operate", "sweep", "rotate-secret"])(
    "%s to seal anything, by the key's own policy",
    async (who) => {
      const cause = "because no resource-based policy allows the kms:Encrypt action";
      await expectDenied(seals(who).send(encrypt()), who, "kms:Encrypt", cause);
    },
  );

  test("check-account a seal for a caller, and a caller's token", async () => {
    const [who, seal, open] = ["check-account", "kms:Encrypt", "kms:Decrypt"];
    await expectDenied(seals(who).send(encrypt()), who, seal, notAllowed(seal));
    const work = seals(who).send(decrypt(await sealed(), context()));
    await expectDenied(work, who, open, notAllowed(open));
  });

  test("rotate-secret a token, by the key's own policy", async () => {
    const cause = "because no resource-based policy allows the kms:Decrypt action";
    const work = seals("rotate-secret").send(decrypt(await sealed(), context()));
    await expectDenied(work, "rotate-secret", "kms:Decrypt", cause);
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
  const ofChecks = context(sealContextOfChecks);
  const { CiphertextBlob = new Uint8Array() } = await seals("check-account").send(encrypt(ofChecks));
  await expect(seals("check-account").send(decrypt(CiphertextBlob, ofChecks))).resolves.toBeDefined();
  for (const name of ["looker/sales", "looker/rotator"])
    await expect(secrets("rotate-secret").send(readSecret(name))).resolves.toBeDefined();
  await expect(rows("rotate-secret").send(readRow("secret#looker/sales"))).resolves.toBeDefined();
  await expect(rows("rotate-secret").send(queryRows("scope#sales#3"))).resolves.toBeDefined();
});

test("rows are the functions' and the emergency role's: nobody else's, whatever his policies say", async () => {
  await expect(rows("administrator").send(scan())).resolves.toBeDefined();
  await expect(rows("report-service").send(scan())).rejects.toThrow(
    /with an explicit deny in a resource-based policy$/,
  );
});
