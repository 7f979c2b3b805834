/**
 * Tokens under KMS, bound to their row by the encryption context.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
import { DecryptCommand, EncryptCommand, type KMSClient } from "@aws-sdk/client-kms";
import type { sealContextKeys } from "../contract.ts";
import { type SealContext, type Sealer, type TimeCall, Unreadable } from "../use-cases/ports.ts";
import { asUnavailable } from "./aws-client.ts";

/** What the roles' policies allow, and what is sent: the same keys, or nothing compiles. */
type EncryptionContext = Record<(typeof sealContextKeys)[number], string>;

/** Live leases that one warm instance keeps unsealed; about 200 kB. */
const cacheSize = 1_000;

/** `tableName` is part of each context: a row copied to another table yields nothing. */
export function kmsSealer(
  kms: KMSClient,
  { keyArn, tableName }: { keyArn: string; tableName: string },
): Sealer {
  /**
   * By ciphertext *and* context: by ciphertext alone, a row into which another caller's ciphertext was copied would be
   * served from memory, without KMS being asked. A Map keeps insertion order, so its first key is the oldest.
   */
  const unsealed = new Map<string, string>();
  const remember = (key: string, token: string) => {
    unsealed.delete(key);
    unsealed.set(key, token);
    if (unsealed.size > cacheSize) unsealed.delete(unsealed.keys().next().value ?? "");
  };
  const cacheKey = (sealed: Uint8Array, context: SealContext) =>
    JSON.stringify([Buffer.from(sealed).toString("base64"), ...Object.entries(context).sort().flat()]);

  const sealerBy = (time: TimeCall): Sealer => ({
    timedBy: sealerBy,

    async seal(token, identity) {
      const context: SealContext = { table: tableName, ...identity };
      try {
        const { CiphertextBlob } = await time(() =>
          kms.send(
            new EncryptCommand({
              KeyId: keyArn,
              Plaintext: Buffer.from(token, "utf8"),
              EncryptionContext: { ...context } satisfies EncryptionContext,
            }),
          ),
        );
        if (!CiphertextBlob) throw new Error("KMS answered Encrypt without a ciphertext");
        remember(cacheKey(CiphertextBlob, context), token);
        return CiphertextBlob;
      } catch (error) {
        throw asUnavailable(error, "kms");
      }
    },

    async unseal(sealed, identity) {
      const context: SealContext = { table: tableName, ...identity };
      const key = cacheKey(sealed, context);
      const known = unsealed.get(key);
      if (known !== undefined) {
        remember(key, known);
        return known;
      }
      try {
        const { Plaintext } = await time(() =>
          kms.send(
            new DecryptCommand({
              KeyId: keyArn,
              CiphertextBlob: sealed,
              EncryptionContext: { ...context } satisfies EncryptionContext,
            }),
          ),
        );
        if (!Plaintext) throw new Error("KMS answered Decrypt without a plaintext");
        const token = Buffer.from(Plaintext).toString("utf8");
        remember(key, token);
        return token;
      } catch (error) {
        // IncorrectKeyException: the ciphertext is genuine but of another key, so not of this row either.
        if (
          error instanceof Error &&
          /^(?:InvalidCiphertext|IncorrectKey|Validation)Exception$/.test(error.name)
        )
          throw new Unreadable("the sealed token does not belong to its row");
        throw asUnavailable(error, "kms");
      }
    },
  });
  return sealerBy((call) => call());
}
