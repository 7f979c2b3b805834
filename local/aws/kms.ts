/** KMS as far as the broker and the `aws` CLI need it: https://docs.aws.amazon.com/kms/latest/APIReference/ */
import { randomBytes } from "node:crypto";
import { isJsonObject } from "../json-object.ts";
import {
  constraint,
  type Input,
  optionalBlob,
  optionalText,
  requiredText,
  ServiceError,
  startJsonService,
} from "./json-protocol.ts";
import { type EncryptionContext, open, seal, sealedBy } from "./kms-ciphertext.ts";
import { createKeys, type HeldKey, type KeyState, type KmsKey, requireEnabled } from "./kms-keys.ts";

export interface RunningKms {
  url: string;
  addKey(key: KmsKey): void;
  setKeyState(arn: string, state: KeyState): void;
  close(): Promise<void>;
}

/** Encrypt's and Decrypt's own limits. */
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;
const MAX_DATA_KEY_BYTES = 1024;

export async function startKms(): Promise<RunningKms> {
  const keys = createKeys();

  function sealFor(key: HeldKey, plaintext: Buffer, input: Input) {
    const blob = seal(plaintext, key.arn, key.material, contextOf(input));
    return { CiphertextBlob: blob.toString("base64"), KeyId: key.arn };
  }

  const service = await startJsonService({
    targetPrefix: "TrentService",
    messageKey: "message",
    operations: {
      Encrypt(input) {
        const plaintext = blobOf(input, "Plaintext", MAX_PLAINTEXT_BYTES);
        const key = requireEnabled(keys.find(requiredText(input, "KeyId")));
        return { ...sealFor(key, plaintext, input), EncryptionAlgorithm: algorithmOf(input, key) };
      },

      Decrypt(input) {
        const blob = blobOf(input, "CiphertextBlob", MAX_CIPHERTEXT_BYTES);
        const keyId = optionalText(input, "KeyId");
        const named = keyId === undefined ? undefined : keys.find(keyId);
        const key = keys.byFingerprint(sealedBy(blob));
        // The blob's key id is a hash here: a tampered one and one of an unknown key look alike.
        if (!key) throw new ServiceError("InvalidCiphertextException", null);
        if (named && named !== key) {
          throw new ServiceError(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
          );
        }
        const EncryptionAlgorithm = algorithmOf(input, requireEnabled(key));
        const plaintext = open(blob, key.material, contextOf(input));
        if (!plaintext) throw new ServiceError("InvalidCiphertextException", null);
        return { KeyId: key.arn, Plaintext: plaintext.toString("base64"), EncryptionAlgorithm };
      },

      GenerateDataKey(input) {
        const key = requireEnabled(keys.find(requiredText(input, "KeyId")));
        const plaintext = randomBytes(dataKeyBytes(input));
        return { ...sealFor(key, plaintext, input), Plaintext: plaintext.toString("base64") };
      },

      DescribeKey(input) {
        return { KeyMetadata: describe(keys.find(requiredText(input, "KeyId"))) };
      },
    },
  });
  return { ...service, addKey: keys.add, setKeyState: keys.setState };
}

function blobOf(input: Input, name: string, maxBytes: number): Buffer {
  const blob = optionalBlob(input, name);
  if (!blob) throw constraint(name, "null", "Member must not be null");
  const bound = blob.length === 0 ? "greater than or equal to 1" : `less than or equal to ${maxBytes}`;
  if (blob.length === 0 || blob.length > maxBytes) {
    throw constraint(name, undefined, `Member must have length ${bound}`);
  }
  return blob;
}

function contextOf(input: Input): EncryptionContext {
  const context = input.EncryptionContext ?? {};
  if (!isJsonObject(context) || !Object.values(context).every((value) => typeof value === "string")) {
    throw new ServiceError("SerializationException", null);
  }
  return context as EncryptionContext;
}

function algorithmOf(input: Input, key: HeldKey): string {
  const algorithm = optionalText(input, "EncryptionAlgorithm") ?? "SYMMETRIC_DEFAULT";
  if (algorithm !== "SYMMETRIC_DEFAULT") {
    throw new ServiceError(
      "InvalidKeyUsageException",
      `${key.arn} key spec is not compatible with ${algorithm}.`,
    );
  }
  return algorithm;
}

function dataKeyBytes(input: Input): number {
  const spec = optionalText(input, "KeySpec");
  const bytes = input.NumberOfBytes ?? undefined;
  if ((spec === undefined) === (bytes === undefined)) {
    throw new ServiceError("ValidationException", "Please specify either number of bytes or key spec.");
  }
  const wanted = bytes ?? { AES_128: 16, AES_256: 32 }[spec ?? ""];
  if (typeof wanted !== "number" || !Number.isInteger(wanted) || wanted < 1 || wanted > MAX_DATA_KEY_BYTES) {
    throw constraint(
      "NumberOfBytes",
      undefined,
      `Member must have value between 1 and ${MAX_DATA_KEY_BYTES}`,
    );
  }
  return wanted;
}

function describe(key: HeldKey) {
  const [, , , , account, resource = ""] = key.arn.split(":");
  return {
    AWSAccountId: account,
    KeyId: resource.slice(resource.indexOf("/") + 1),
    Arn: key.arn,
    CreationDate: key.createdAt,
    Enabled: key.state === "Enabled",
    Description: "",
    KeyUsage: "ENCRYPT_DECRYPT",
    KeyState: key.state,
    Origin: "AWS_KMS",
    KeyManager: "CUSTOMER",
    KeySpec: "SYMMETRIC_DEFAULT",
    CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
    EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
    MultiRegion: false,
  };
}
