/** What every KMS must do, whoever wrote it: https://docs.aws.amazon.com/kms/latest/APIReference/ */
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT, type AwsUnderTest, errorOf, REGION, type StartAws } from "./aws-under-test.ts";

export const EncryptionContext = { scope: "sales", account: ACCOUNT };

export async function seal(aws: AwsUnderTest, text: string, more: object = {}): Promise<Uint8Array> {
  const Plaintext = Buffer.from(text);
  const command = new EncryptCommand({ KeyId: aws.keyArn, Plaintext, EncryptionContext, ...more });
  return (await aws.kmsClient().send(command)).CiphertextBlob ?? new Uint8Array();
}

export const open = (aws: AwsUnderTest, CiphertextBlob: Uint8Array, more: object = {}) =>
  aws.kmsClient().send(new DecryptCommand({ CiphertextBlob, EncryptionContext, ...more }));

export function kmsContract(name: string, startAws: StartAws): void {
  describe(`${name}, as KMS`, () => {
    let aws: AwsUnderTest;
    beforeAll(async () => {
      aws = await startAws();
    });
    afterAll(() => aws?.close());

    describe("what was encrypted", () => {
      it("is decrypted under the same context, in whatever order its pairs come", async () => {
        const opened = await open(aws, await seal(aws, "token"), {
          EncryptionContext: { account: ACCOUNT, scope: "sales" },
        });
        expect(opened.KeyId).toBe(aws.keyArn);
        expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe("token");
      });

      it("is another blob each time, and shows nothing of the plaintext", async () => {
        const [first, second] = [
          Buffer.from(await seal(aws, "token")),
          Buffer.from(await seal(aws, "token")),
        ];
        expect(first.equals(second)).toBe(false);
        expect(first.includes("token")).toBe(false);
      });

      it.each([
        ["another value", { scope: "finance", account: ACCOUNT }],
        ["another case", { Scope: "sales", account: ACCOUNT }],
        ["a pair more", { scope: "sales", account: ACCOUNT, lease: "1" }],
        ["a pair less", { scope: "sales" }],
        ["values that changed places", { scope: ACCOUNT, account: "sales" }],
        ["none", undefined],
      ])("is not decrypted under a context with %s", async (_, context) => {
        const error = await errorOf(open(aws, await seal(aws, "token"), { EncryptionContext: context }));
        expect([error.name, error.$metadata.httpStatusCode]).toEqual(["InvalidCiphertextException", 400]);
        expect(error.message).not.toContain("sales");
      });

      it("without a context is decrypted under an empty one", async () => {
        const blob = await seal(aws, "token", { EncryptionContext: undefined });
        expect((await open(aws, blob, { EncryptionContext: {} })).Plaintext?.length).toBe(5);
      });

      it("is not decrypted when it is cut short or its last bit was changed", async () => {
        const blob = await seal(aws, "token");
        for (const bad of [
          blob.subarray(0, -1),
          blob.subarray(0, 10),
          new Uint8Array(blob).with(-1, (blob.at(-1) ?? 0) ^ 1),
        ])
          expect((await errorOf(open(aws, bad))).name).toBe("InvalidCiphertextException");
      });
    });

    describe("a key", () => {
      it.each<[how: string, idOf: (of: AwsUnderTest) => string]>([
        ["ARN", ({ keyArn }) => keyArn],
        ["id", ({ keyArn }) => keyArn.slice(keyArn.indexOf("/") + 1)],
        ["alias", ({ alias }) => alias],
        ["alias ARN", ({ alias }) => `arn:aws:kms:${REGION}:${ACCOUNT}:${alias}`],
      ])("is found by its %s, and answers by its ARN", async (_, idOf) => {
        const KeyId = idOf(aws);
        const sealed = await aws.kmsClient().send(new EncryptCommand({ KeyId, Plaintext: Buffer.from("x") }));
        expect(sealed.KeyId).toBe(aws.keyArn);
        expect((await open(aws, await seal(aws, "x"), { KeyId })).KeyId).toBe(aws.keyArn);
      });

      it.each([
        ["alias/none", `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/none is not found.`],
        [
          `arn:aws:kms:${REGION}:${ACCOUNT}:key/9999abcd-12ab-34cd-56ef-1234567890ab`,
          `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/9999abcd-12ab-34cd-56ef-1234567890ab' does not exist`,
        ],
        [
          "9999abcd-12ab-34cd-56ef-1234567890ab",
          `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/9999abcd-12ab-34cd-56ef-1234567890ab' does not exist`,
        ],
        ["sealing", "Invalid keyId sealing"],
      ])("that is unknown as %s is not found", async (KeyId, message) => {
        const error = await errorOf(seal(aws, "x", { KeyId }));
        expect([error.name, error.message, error.$metadata.httpStatusCode]).toEqual([
          "NotFoundException",
          message,
          400,
        ]);
      });

      it("is described", async () => {
        const { KeyMetadata } = await aws.kmsClient().send(new DescribeKeyCommand({ KeyId: aws.alias }));
        expect(KeyMetadata).toMatchObject({
          Arn: aws.keyArn,
          AWSAccountId: ACCOUNT,
          Enabled: true,
          KeyState: "Enabled",
          KeySpec: "SYMMETRIC_DEFAULT",
          KeyUsage: "ENCRYPT_DECRYPT",
          KeyManager: "CUSTOMER",
          Origin: "AWS_KMS",
          MultiRegion: false,
          EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
        });
        expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date);
      });

      it("makes data keys whose ciphertext opens to the plaintext", async () => {
        const made = await aws
          .kmsClient()
          .send(new GenerateDataKeyCommand({ KeyId: aws.keyArn, KeySpec: "AES_256", EncryptionContext }));
        expect([made.Plaintext?.length, made.KeyId]).toEqual([32, aws.keyArn]);
        expect((await open(aws, made.CiphertextBlob ?? new Uint8Array())).Plaintext).toEqual(made.Plaintext);
      });

      it("makes no data key where its size is not told, or told twice", async () => {
        for (const more of [{}, { KeySpec: "AES_256", NumberOfBytes: 32 } as const]) {
          const error = await errorOf(
            aws.kmsClient().send(new GenerateDataKeyCommand({ KeyId: aws.keyArn, ...more })),
          );
          expect([error.name, error.message]).toEqual([
            "ValidationException",
            "Please specify either number of bytes or key spec.",
          ]);
        }
      });
    });

    it("takes 4096 bytes of plaintext, no more and not none, and repeats nothing of it", async () => {
      expect((await open(aws, await seal(aws, "x".repeat(4096)))).Plaintext?.length).toBe(4096);
      const rule =
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must";
      for (const [text, bound] of [
        ["x".repeat(4097), "less than or equal to 4096"],
        ["", "greater than or equal to 1"],
      ] as const) {
        const error = await errorOf(seal(aws, text));
        expect([error.name, error.message]).toEqual(["ValidationException", `${rule} have length ${bound}`]);
      }
    });
  });
}
