import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { EncryptCommand } from "@aws-sdk/client-kms";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../../../../local/aws/call.ts";
import { errorOf, KEY_ARN, type Stand, startStand } from "../../../support/aws-stand.ts";

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());
beforeEach(() => {
  stand.awsProxy.setFault(undefined);
  stand.awsProxy.clearCalls();
});

const putIfAbsent = (pk: string) =>
  new PutItemCommand({
    TableName: "leases",
    Item: { pk: { S: pk } },
    ConditionExpression: "attribute_not_exists(pk)",
  });

async function isStored(pk: string): Promise<boolean> {
  stand.awsProxy.setFault(undefined);
  const command = new GetItemCommand({ TableName: "leases", Key: { pk: { S: pk } }, ConsistentRead: true });
  return (await stand.dynamodbClient().send(command)).Item !== undefined;
}

/** Until the AWS proxy has the call: what a client waits for can then be cut off. */
async function arrival(): Promise<void> {
  while (stand.awsProxy.calls().length === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(["before", "after"] as const)("a fault %s the effect", (when) => {
  const wasDone = when === "after";

  it.each([
    ["throttle", "ProvisionedThroughputExceededException", 400],
    ["unavailable", "ServiceUnavailable", 503],
    ["internal", "InternalServerError", 500],
  ] as const)("%s is what the caller of DynamoDB gets", async (kind, name, status) => {
    stand.awsProxy.setFault(() => ({ throw: kind, when }));
    const pk = `${kind}-${when}`;
    const error = await errorOf(stand.dynamodbClient().send(putIfAbsent(pk)));
    expect([error.name, error.$metadata.httpStatusCode]).toEqual([name, status]);
    expect(stand.awsProxy.calls()).toMatchObject([{ status, errorType: name }]);
    expect(await isStored(pk)).toBe(wasDone);
  });

  it("reset drops the connection without an answer", async () => {
    stand.awsProxy.setFault(() => ({ throw: "reset", when }));
    const error = await errorOf(stand.dynamodbClient().send(putIfAbsent(`reset-${when}`)));
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(stand.awsProxy.calls()).toMatchObject([{ operation: "PutItem", status: 0 }]);
    expect(await isStored(`reset-${when}`)).toBe(wasDone);
  });

  it("hang never answers", async () => {
    stand.awsProxy.setFault(() => ({ throw: "hang", when }));
    const client = stand.dynamodbClient();
    const patience = new AbortController();
    const attempt = errorOf(client.send(putIfAbsent(`hang-${when}`), { abortSignal: patience.signal }));
    await arrival();
    while (wasDone && !(await isStored(`hang-${when}`)));
    patience.abort();
    expect((await attempt).name).toBe("AbortError");
    expect(stand.awsProxy.calls()[0]).toMatchObject({ operation: "PutItem", status: 0 });
    expect(await isStored(`hang-${when}`)).toBe(wasDone);
  });

  it("a delay alone loses nothing", async () => {
    stand.awsProxy.setFault(() => ({ delayMs: 1, when }));
    await stand.dynamodbClient().send(putIfAbsent(`delay-${when}`));
    expect(stand.awsProxy.calls()).toMatchObject([{ status: 200 }]);
    expect(await isStored(`delay-${when}`)).toBe(true);
  });
});

it("a conditional put whose answer was lost fails its condition when it is tried again", async () => {
  const faults: (Fault | undefined)[] = [{ throw: "reset", when: "after" }];
  stand.awsProxy.setFault(() => faults.shift());
  const client = stand.dynamodbClient();
  await errorOf(client.send(putIfAbsent("lost")));
  const error = await errorOf(client.send(putIfAbsent("lost")));
  expect(error.name).toBe("ConditionalCheckFailedException");
});

it("each service is throttled and broken in its own words", async () => {
  const encrypt = () =>
    stand.kmsClient().send(new EncryptCommand({ KeyId: KEY_ARN, Plaintext: Buffer.from("x") }));
  const read = () => stand.secretsClient().send(new GetSecretValueCommand({ SecretId: "looker/a" }));
  for (const [kind, kms, secrets] of [
    ["throttle", "ThrottlingException", "ThrottlingException"],
    ["internal", "KMSInternalException", "InternalServiceError"],
  ] as const) {
    stand.awsProxy.setFault(() => ({ throw: kind }));
    expect((await errorOf(encrypt())).name).toBe(kms);
    expect((await errorOf(read())).name).toBe(secrets);
  }
});

it("can hold one call and let the others pass", async () => {
  const gate = Promise.withResolvers<undefined>();
  stand.awsProxy.setFault((call) => (call.service === "kms" ? gate.promise : undefined));
  const held = stand.kmsClient().send(new EncryptCommand({ KeyId: KEY_ARN, Plaintext: Buffer.from("x") }));
  await arrival();
  await stand.dynamodbClient().send(putIfAbsent("gate"));
  expect(stand.awsProxy.calls().map((call) => call.status)).toEqual([0, 200]);
  gate.resolve(undefined);
  expect((await held).KeyId).toBe(KEY_ARN);
});

it("ends delays and hangs when it closes, without doing what was held back", async () => {
  const own = await startStand();
  own.awsProxy.setFault(({ service }) => (service === "kms" ? { throw: "hang" } : { delayMs: 3_600_000 }));
  const Plaintext = Buffer.from("x");
  const attempts = [
    errorOf(own.dynamodbClient().send(putIfAbsent("closed"))),
    errorOf(own.kmsClient().send(new EncryptCommand({ KeyId: KEY_ARN, Plaintext }))),
  ];
  while (own.awsProxy.calls().length < 2) await new Promise((resolve) => setImmediate(resolve));
  await own.close();
  for (const error of await Promise.all(attempts)) expect(error).toMatchObject({ code: "ECONNRESET" });
});
