/**
 * The stand-in's own ciphertext: as long as AWS's and as tied to key and context, so that whoever relies on either
 * is caught here. Layout: version 1 | key 32 | padding 91 | iv 12 | sealed plaintext | tag 16.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

const VERSION = 1;
const KEY_ENDS = 33;
/** AWS's blob of a 32-byte data key has 184 bytes: 152 more than the plaintext. The padding makes up the difference. */
const HEADER_BYTES = 124;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export type EncryptionContext = Record<string, string>;

export function fingerprint(keyArn: string): Buffer {
  return createHash("sha256").update(keyArn).digest();
}

export function seal(
  plaintext: Buffer,
  keyArn: string,
  material: Buffer,
  context: EncryptionContext,
): Buffer {
  const padding = randomBytes(HEADER_BYTES - KEY_ENDS);
  const header = Buffer.concat([Buffer.of(VERSION), fingerprint(keyArn), padding]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", material, iv);
  cipher.setAAD(Buffer.concat([header, canonical(context)]));
  return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Hex of the fingerprint of the key that sealed it; undefined: this is no such blob. */
export function sealedBy(blob: Buffer): string | undefined {
  if (blob.length < HEADER_BYTES + IV_BYTES + TAG_BYTES || blob[0] !== VERSION) return undefined;
  return blob.subarray(1, KEY_ENDS).toString("hex");
}

/** Undefined: another context, or not a byte is as it was. */
export function open(blob: Buffer, material: Buffer, context: EncryptionContext): Buffer | undefined {
  const header = blob.subarray(0, HEADER_BYTES);
  const iv = blob.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", material, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([header, canonical(context)]));
  decipher.setAuthTag(blob.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(blob.subarray(HEADER_BYTES + IV_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
  } catch {
    return undefined;
  }
}

/**
 * The order of the pairs does not matter, their case does; no context and an empty one are the same.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
function canonical(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Buffer.from(JSON.stringify(pairs));
}
