import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ListKeysCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT, errorOf, KEY_ARN, OTHER_KEY_ARN, REGION, type Stand, startStand } from "./stand.ts";

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

const EncryptionContext = { scope: "sales", account: ACCOUNT };
const seal = async (text: string, more: object = {}): Promise<Uint8Array> => {
  const command = new EncryptCommand({
    KeyId: KEY_ARN,
    Plaintext: Buffer.from(text),
    EncryptionContext,
    ...more,
  });
  return (await stand.kmsClient().send(command)).CiphertextBlob ?? new Uint8Array();
};
const open = (CiphertextBlob: Uint8Array, more: object = {}) =>
  stand.kmsClient().send(new DecryptCommand({ CiphertextBlob, EncryptionContext, ...more }));

describe("what was encrypted", () => {
  it("is decrypted under the same context, in whatever order its pairs come", async () => {
    const opened = await open(await seal("token"), {
      EncryptionContext: { account: ACCOUNT, scope: "sales" },
    });
    expect(opened).toMatchObject({ KeyId: KEY_ARN, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" });
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe("token");
  });

  it("is 152 bytes longer, another blob each time, and shows nothing of the plaintext", async () => {
    const [first, second] = [Buffer.from(await seal("token")), Buffer.from(await seal("token"))];
    expect(first.length).toBe("token".length + 152);
    expect(first.equals(second)).toBe(false);
    expect(first.includes("token")).toBe(false);
  });

  it.each([
    ["another value", { scope: "finance", account: ACCOUNT }],
    ["another case", { Scope: "sales", account: ACCOUNT }],
    ["a pair more", { scope: "sales", account: ACCOUNT, lease: "1" }],
    ["a pair less", { scope: "sales" }],
    ["none", undefined],
  ])("is not decrypted under a context with %s", async (_, context) => {
    const error = await errorOf(open(await seal("token"), { EncryptionContext: context }));
    expect([error.name, error.$metadata.httpStatusCode]).toEqual(["InvalidCiphertextException", 400]);
    expect(error.message).not.toContain("sales");
  });

  it("is not decrypted when any one byte of it was changed", async () => {
    const blob = await seal("token");
    const attempts = Array.from(blob, async (byte, at) => {
      const changed = Uint8Array.from(blob);
      changed[at] = byte ^ 1;
      return (await errorOf(open(changed))).name;
    });
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(["InvalidCiphertextException"]));
  });

  it("is not decrypted when it is cut short or is nothing of ours", async () => {
    const blob = await seal("token");
    for (const bad of [blob.subarray(0, -1), blob.subarray(0, 10), Buffer.from("x")]) {
      expect((await errorOf(open(bad))).name).toBe("InvalidCiphertextException");
    }
  });

  it("is not decrypted by another key, named or not, nor by the same key in another run", async () => {
    const blob = await seal("token");
    expect((await errorOf(open(blob, { KeyId: OTHER_KEY_ARN }))).name).toBe("IncorrectKeyException");
    const other = await startStand();
    try {
      const attempt = other.kmsClient().send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext }));
      expect((await errorOf(attempt)).name).toBe("InvalidCiphertextException");
    } finally {
      await other.close();
    }
  });
});

describe("a key", () => {
  it.each([
    KEY_ARN,
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "alias/sealing",
    `arn:aws:kms:${REGION}:${ACCOUNT}:alias/sealing`,
  ])("is found as %s, and answers by its ARN", async (KeyId) => {
    const sealed = await stand.kmsClient().send(new EncryptCommand({ KeyId, Plaintext: Buffer.from("x") }));
    expect(sealed).toMatchObject({ KeyId: KEY_ARN, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" });
    expect((await open(await seal("x"), { KeyId })).KeyId).toBe(KEY_ARN);
  });

  it.each([
    ["alias/none", `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/none is not found.`],
    [
      KEY_ARN.replace("1234abcd", "9999abcd"),
      `Key '${KEY_ARN.replace("1234abcd", "9999abcd")}' does not exist`,
    ],
    [
      "9999abcd-12ab-34cd-56ef-1234567890ab",
      `Key '${KEY_ARN.replace("1234abcd", "9999abcd")}' does not exist`,
    ],
    ["sealing", "Invalid keyId sealing"],
  ])("that is unknown as %s is not found", async (KeyId, message) => {
    const error = await errorOf(seal("x", { KeyId }));
    expect([error.name, error.message]).toEqual(["NotFoundException", message]);
  });

  it("that is disabled or pending deletion neither encrypts nor decrypts", async () => {
    const blob = await seal("x");
    for (const [state, name] of [
      ["Disabled", "DisabledException"],
      ["PendingDeletion", "KMSInvalidStateException"],
    ] as const) {
      stand.kms.setKeyState(KEY_ARN, state);
      expect((await errorOf(seal("x"))).name).toBe(name);
      expect((await errorOf(open(blob))).name).toBe(name);
      stand.kms.setKeyState(KEY_ARN, "Enabled");
    }
  });

  it("is described", async () => {
    const { KeyMetadata } = await stand.kmsClient().send(new DescribeKeyCommand({ KeyId: "alias/sealing" }));
    expect(KeyMetadata).toMatchObject({
      Arn: KEY_ARN,
      AWSAccountId: ACCOUNT,
      Enabled: true,
      KeyState: "Enabled",
    });
    expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date);
  });

  it("makes data keys whose ciphertext has AWS's 184 bytes and opens to the plaintext", async () => {
    const made = await stand
      .kmsClient()
      .send(new GenerateDataKeyCommand({ KeyId: KEY_ARN, KeySpec: "AES_256", EncryptionContext }));
    expect([made.Plaintext?.length, made.CiphertextBlob?.length]).toEqual([32, 184]);
    expect((await open(made.CiphertextBlob ?? new Uint8Array())).Plaintext).toEqual(made.Plaintext);
  });
});

describe("sizes", () => {
  it("allow 4096 bytes of plaintext, and name nothing of a longer one", async () => {
    expect((await open(await seal("x".repeat(4096)))).Plaintext?.length).toBe(4096);
    const error = await errorOf(seal("x".repeat(4097)));
    expect([error.name, error.message]).toEqual([
      "ValidationException",
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    ]);
    expect((await errorOf(seal(""))).name).toBe("ValidationException");
    expect((await errorOf(open(Buffer.alloc(6145)))).name).toBe("ValidationException");
  });
});

it("an operation that is not there is unknown", async () => {
  expect((await errorOf(stand.kmsClient().send(new ListKeysCommand({})))).name).toBe(
    "UnknownOperationException",
  );
});
