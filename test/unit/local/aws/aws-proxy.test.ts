import { BatchGetItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { DecryptCommand, EncryptCommand } from "@aws-sdk/client-kms";
import { GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ArrivedCall, Denial } from "../../../../local/aws/call.ts";
import {
  errorOf,
  ISSUE,
  KEY_ARN,
  LOGOUT,
  REGION,
  type Stand,
  startStand,
} from "../../../support/aws-stand.ts";

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());
beforeEach(() => {
  stand.awsProxy.setAuthorize(undefined);
  stand.awsProxy.setFault(undefined);
  stand.awsProxy.clearCalls();
});

const put = (pk: string, more: object = {}) =>
  new PutItemCommand({ TableName: "leases", Item: { pk: { S: pk } }, ...more });
const get = (pk: string) =>
  new GetItemCommand({ TableName: "leases", Key: { pk: { S: pk } }, ConsistentRead: true });

function post(target: string, body: string, headers: Record<string, string> = {}) {
  const sent = { "content-type": "application/x-amz-json-1.0", "x-amz-target": target, ...headers };
  return fetch(stand.awsProxy.url, { method: "POST", headers: sent, body });
}

describe("signature", () => {
  it("is required, and its lack answered as each service does", async () => {
    for (const [target, type, version] of [
      ["DynamoDB_20120810.ListTables", "com.amazon.coral.service#MissingAuthenticationTokenException", "1.0"],
      ["secretsmanager.GetSecretValue", "MissingAuthenticationTokenException", "1.1"],
      ["TrentService.Encrypt", "MissingAuthenticationTokenException", "1.1"],
    ] as const) {
      const response = await post(target, "{}");
      expect(response.status).toBe(400);
      expect(response.headers.get("content-type")).toBe(`application/x-amz-json-${version}`);
      expect(response.headers.get("x-amzn-requestid")).toMatch(/^[\w-]{36}$/);
      expect(await response.json()).toEqual({
        __type: type,
        message: "Request is missing Authentication Token",
      });
    }
    expect(stand.awsProxy.calls().map((call) => [call.principalArn, call.status])).toEqual(
      Array(3).fill(["", 400]),
    );
  });

  it("with a wrong secret, session token, access key or region is refused by name", async () => {
    for (const [credential, region, name] of [
      [{ ...ISSUE, secretAccessKey: "wrong" }, REGION, "InvalidSignatureException"],
      [{ ...ISSUE, sessionToken: "another" }, REGION, "UnrecognizedClientException"],
      [{ ...ISSUE, accessKeyId: "ASIAUNKNOWN" }, REGION, "UnrecognizedClientException"],
      [ISSUE, "us-east-1", "InvalidSignatureException"],
    ] as const) {
      for (const attempt of [
        () => stand.dynamodbClient(credential, region).send(get("a")),
        () =>
          stand
            .kmsClient(credential, region)
            .send(new EncryptCommand({ KeyId: KEY_ARN, Plaintext: Buffer.from("x") })),
        () => stand.secretsClient(credential, region).send(new GetSecretValueCommand({ SecretId: "a" })),
      ]) {
        const error = await errorOf(attempt());
        expect([error.name, error.$metadata.httpStatusCode]).toEqual([name, 400]);
      }
    }
  });

  it("is checked before anything is said of the operation or its body", async () => {
    const response = await post("DynamoDB_20120810.PutItem", "not json");
    expect(await response.json()).toMatchObject({
      __type: expect.stringContaining("MissingAuthenticationToken"),
    });
  });
});

describe("requests that are no call", () => {
  it.each([
    ["no target", ""],
    ["another service", "AmazonSQS.SendMessage"],
    ["an inherited name for a service", "constructor.Encrypt"],
    ["an operation with odd characters", "TrentService.En/crypt"],
  ])("are refused as unknown operations: %s", async (_, target) => {
    const response = await post(target, "{}");
    expect([response.status, await response.json()]).toEqual([
      400,
      { __type: "com.amazon.coral.service#UnknownOperationException" },
    ]);
    expect(stand.awsProxy.calls()).toEqual([]);
  });

  it("are refused with 413 above the service's size", async () => {
    const response = await post("TrentService.Encrypt", "x".repeat(1024 * 1024 + 1));
    expect(response.status).toBe(413);
    expect((await post("TrentService.Encrypt", "x".repeat(1024 * 1024))).status).toBe(400);
  });
});

describe("record", () => {
  it("names the role behind each call, its operation and resource, in the order of arrival", async () => {
    await stand.dynamodbClient(ISSUE).send(put("record"));
    await stand.dynamodbClient(LOGOUT).send(get("record"));
    const [first, second] = stand.awsProxy.calls();
    expect(first).toEqual({
      at: expect.any(Number),
      service: "dynamodb",
      operation: "PutItem",
      principalArn: ISSUE.principalArn,
      sessionArn: ISSUE.sessionArn,
      resource: "leases",
      resources: ["leases"],
      leadingKeys: ["record"],
      status: 200,
    });
    expect(second).toMatchObject({
      operation: "GetItem",
      principalArn: LOGOUT.principalArn,
      leadingKeys: ["record"],
    });
  });

  it("names every table of a batch and the index of a query", async () => {
    const client = stand.dynamodbClient();
    const Keys = [{ pk: { S: "a" } }];
    await errorOf(
      client.send(new BatchGetItemCommand({ RequestItems: { leases: { Keys }, other: { Keys } } })),
    );
    await errorOf(
      client.send(
        new QueryCommand({
          TableName: "leases",
          IndexName: "due",
          KeyConditionExpression: "due_shard = :shard AND due_at < :now",
          ExpressionAttributeValues: { ":shard": { S: "due#0" }, ":now": { N: "1" } },
        }),
      ),
    );
    expect(stand.awsProxy.calls()).toMatchObject([
      {
        resources: ["leases", "other"],
        leadingKeys: ["a"],
        errorType: "ResourceNotFoundException",
        status: 400,
      },
      {
        resource: "leases",
        indexName: "due",
        leadingKeys: ["due#0"],
        errorType: "ValidationException",
        status: 400,
      },
    ]);
  });

  it("shows contexts, secret ids and partition keys, but no plaintext, ciphertext, value of an item or secret", async () => {
    stand.secretsmanager.put("looker/record", { client_secret: "canary-put" });
    const context = { scope: "sales", account: "123456789012" };
    const sealed = await stand.kmsClient().send(
      new EncryptCommand({
        KeyId: "alias/sealing",
        Plaintext: Buffer.from("canary-plain"),
        EncryptionContext: context,
      }),
    );
    await stand.secretsClient().send(new GetSecretValueCommand({ SecretId: "looker/record" }));
    await stand
      .secretsClient()
      .send(new PutSecretValueCommand({ SecretId: "looker/record", SecretString: "canary-string" }));
    await stand
      .dynamodbClient()
      .send(put("record", { Item: { pk: { S: "record" }, value: { S: "canary-value" } } }));
    const calls = stand.awsProxy.calls();
    expect(calls).toMatchObject([
      { operation: "Encrypt", resource: "alias/sealing", encryptionContext: context },
      { operation: "GetSecretValue", resource: "looker/record" },
      { operation: "PutSecretValue", resource: "looker/record" },
      { operation: "PutItem", resource: "leases" },
    ]);
    const printed = JSON.stringify(calls);
    expect(printed).not.toContain("canary");
    expect(printed).not.toContain(Buffer.from("canary-plain").toString("base64"));
    expect(printed).not.toContain(Buffer.from(sealed.CiphertextBlob ?? []).toString("base64"));
  });
});

describe("authorize", () => {
  it("denies in AWS's words, and the engine never hears of it", async () => {
    const asked: ArrivedCall[] = [];
    stand.awsProxy.setAuthorize((call) => {
      asked.push(call);
      return { allow: false, reason: "no statement of the role allows it" };
    });
    const error = await errorOf(stand.dynamodbClient().send(put("denied")));
    expect(error.name).toBe("AccessDeniedException");
    expect(error.message).toBe(
      `User: ${ISSUE.sessionArn} is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:${REGION}:123456789012:table/leases because no identity-based policy allows the dynamodb:PutItem action`,
    );
    expect(asked).toMatchObject([
      { operation: "PutItem", principalArn: ISSUE.principalArn, resource: "leases" },
    ]);
    expect(stand.awsProxy.calls()).toMatchObject([{ status: 400, errorType: "AccessDeniedException" }]);
    stand.awsProxy.setAuthorize(undefined);
    expect((await stand.dynamodbClient().send(get("denied"))).Item).toBeUndefined();
  });

  it("denies KMS and Secrets Manager too", async () => {
    stand.awsProxy.setAuthorize(async () => ({ allow: false, reason: "" }));
    const Plaintext = Buffer.from("x");
    const encrypt = await errorOf(
      stand.kmsClient(LOGOUT).send(new EncryptCommand({ KeyId: "alias/sealing", Plaintext })),
    );
    expect([encrypt.name, encrypt.message]).toEqual([
      "AccessDeniedException",
      `User: ${LOGOUT.principalArn} is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:${REGION}:123456789012:alias/sealing because no identity-based policy allows the kms:Encrypt action`,
    ]);
    const decrypt = await errorOf(stand.kmsClient().send(new DecryptCommand({ CiphertextBlob: Plaintext })));
    expect(decrypt.message).toContain("kms:Decrypt on the resource associated with this ciphertext because");
    const secret = await errorOf(
      stand.secretsClient().send(new GetSecretValueCommand({ SecretId: "looker/a" })),
    );
    expect([secret.name, secret.message]).toEqual([
      "AccessDeniedException",
      expect.stringContaining("secretsmanager:GetSecretValue on resource: looker/a because"),
    ]);
  });

  it.each([
    [
      { kind: "implicit", policy: "resource" },
      "because no resource-based policy allows the dynamodb:GetItem action",
    ],
    [{ kind: "explicit", policy: "resource" }, "with an explicit deny in a resource-based policy"],
    [{ kind: "explicit", policy: "identity" }, "with an explicit deny in an identity-based policy"],
  ] satisfies [Denial, string][])(
    "tells as AWS does where a denial comes from: %j",
    async (denial, words) => {
      stand.awsProxy.setAuthorize(() => ({ allow: false, reason: "", denial }));
      const error = await errorOf(stand.dynamodbClient().send(get("denied")));
      expect(error.message.endsWith(`:table/leases ${words}`)).toBe(true);
    },
  );

  it("allows nothing when it throws", async () => {
    stand.awsProxy.setAuthorize(() => {
      throw new Error("policy could not be read");
    });
    const error = await errorOf(stand.dynamodbClient().send(put("thrown")));
    expect(error.$metadata.httpStatusCode).toBe(500);
    stand.awsProxy.setAuthorize(undefined);
    expect((await stand.dynamodbClient().send(get("thrown"))).Item).toBeUndefined();
  });
});
