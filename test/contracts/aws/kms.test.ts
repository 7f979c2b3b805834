import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, ListKeysCommand } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorOf, type Stand, startStand } from "../../support/aws-stand.ts";
import { EncryptionContext, kmsContract, open, seal } from "../../support/contracts/kms.ts";

kmsContract("the stand-in", startStand);

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

// As documented of AWS, in what moto differs: https://github.com/getmoto/moto/blob/5.2.5/moto/kms/
describe("beyond what moto does", () => {
  // moto's blobs are of its own form, and begin with the id of the key.
  it("a ciphertext is as long as AWS's", async () => {
    const made = await stand
      .kmsClient()
      .send(new GenerateDataKeyCommand({ KeyId: stand.keyArn, KeySpec: "AES_256" }));
    expect(made.CiphertextBlob?.length).toBe(184);
    const more = async (bytes: number) => (await seal(stand, "x".repeat(bytes))).length - bytes;
    expect(await Promise.all([4, 32, 40, 52, 4096].map(more))).toEqual([152, 152, 153, 155, 162]);
  });

  // moto takes the id of a key that it does not know, wherever that came from, for a denied access.
  it("a ciphertext is not decrypted when any one byte of it was changed", async () => {
    const blob = await seal(stand, "token");
    const attempts = Array.from(blob, async (byte, at) =>
      errorOf(open(stand, new Uint8Array(blob).with(at, byte ^ 255))),
    );
    const names = (await Promise.all(attempts)).map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set(["InvalidCiphertextException"]));
    expect((await errorOf(open(stand, Buffer.from("x")))).name).toBe("InvalidCiphertextException");
  });

  // moto answers AccessDeniedException, and says itself that AWS does not: https://github.com/getmoto/moto/issues/9907
  // https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
  it("a ciphertext is not decrypted by another key that is named", async () => {
    const error = await errorOf(open(stand, await seal(stand, "token"), { KeyId: stand.otherKeyArn }));
    expect([error.name, error.message]).toEqual([
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    ]);
  });

  // moto looks at no key's state.
  it.each([
    ["Disabled", "DisabledException", "is disabled."],
    ["PendingDeletion", "KMSInvalidStateException", "is pending deletion."],
  ] as const)("a key that is %s neither encrypts nor decrypts", async (state, name, message) => {
    const blob = await seal(stand, "x");
    stand.kms.setKeyState(stand.keyArn, state);
    const errors = [await errorOf(seal(stand, "x")), await errorOf(open(stand, blob))];
    stand.kms.setKeyState(stand.keyArn, "Enabled");
    for (const error of errors)
      expect([error.name, error.message]).toEqual([name, `${stand.keyArn} ${message}`]);
    expect((await open(stand, blob)).Plaintext?.length).toBe(1);
  });

  // moto leaves the algorithm out of its answers.
  it("an answer names the algorithm", async () => {
    const sealed = await stand
      .kmsClient()
      .send(new EncryptCommand({ KeyId: stand.keyArn, Plaintext: Buffer.from("x"), EncryptionContext }));
    expect(sealed.EncryptionAlgorithm).toBe("SYMMETRIC_DEFAULT");
    expect((await open(stand, sealed.CiphertextBlob ?? new Uint8Array())).EncryptionAlgorithm).toBe(
      "SYMMETRIC_DEFAULT",
    );
  });

  // moto tries to open it all the same.
  it("a ciphertext of more than 6144 bytes is refused as such", async () => {
    expect((await errorOf(open(stand, Buffer.alloc(6145)))).name).toBe("ValidationException");
  });
});

it("what another run encrypted under the same key is not decrypted", async () => {
  const blob = await seal(stand, "token");
  const other = await startStand();
  try {
    const attempt = other.kmsClient().send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext }));
    expect((await errorOf(attempt)).name).toBe("InvalidCiphertextException");
  } finally {
    await other.close();
  }
});

it("an operation that is not there is unknown", async () => {
  expect((await errorOf(stand.kmsClient().send(new ListKeysCommand({})))).name).toBe(
    "UnknownOperationException",
  );
});
