/**
 * The stand-in's own ciphertext: as long as AWS's and as tied to key and context, so that whoever relies on either
 * is caught here. Layout: version 1 | key 32 | length of the plaintext 2 | padding | iv 12 | sealed plaintext | tag 16.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

const VERSION = 1;
const KEY_ENDS = 33;
const PADDING_BEGINS = 35;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export type EncryptionContext = Record<string, string>;

/**
 * AWS documents no length; its answers have 58 bytes and then a CMS EncryptedData in DER, whose length fields grow: 152
 * bytes more than a data key of 32, 153 more than a token of 40. https://www.rfc-editor.org/rfc/rfc5652#section-8,
 * https://awsteele.com/blog/2020/11/29/cursory-kms-research.html
 */
function blobBytes(plaintextBytes: number): number {
  const encoded = (contentBytes: number) =>
    contentBytes + (contentBytes < 128 ? 2 : contentBytes < 256 ? 3 : 4);
  const content = encoded(43 + encoded(27 + plaintextBytes));
  return 58 + encoded(11 + encoded(encoded(3 + content)));
}

export function fingerprint(keyArn: string): Buffer {
  return createHash("sha256").update(keyArn).digest();
}

export function seal(
  plaintext: Buffer,
  keyArn: string,
  material: Buffer,
  context: EncryptionContext,
): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(plaintext.length);
  const rest = PADDING_BEGINS + IV_BYTES + plaintext.length + TAG_BYTES;
  const padding = randomBytes(blobBytes(plaintext.length) - rest);
  const header = Buffer.concat([Buffer.of(VERSION), fingerprint(keyArn), length, padding]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", material, iv);
  cipher.setAAD(Buffer.concat([header, canonical(context)]));
  return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Hex of the fingerprint of the key that sealed it; undefined: this is no such blob. */
export function sealedBy(blob: Buffer): string | undefined {
  if (blob.length < blobBytes(1) || blob[0] !== VERSION) return undefined;
  return blob.subarray(1, KEY_ENDS).toString("hex");
}

/** Undefined: another context, or not a byte is as it was. */
export function open(blob: Buffer, material: Buffer, context: EncryptionContext): Buffer | undefined {
  const plaintextBytes = blob.readUInt16BE(KEY_ENDS);
  if (blob.length !== blobBytes(plaintextBytes)) return undefined;
  const sealedBegins = blob.length - TAG_BYTES - plaintextBytes;
  const header = blob.subarray(0, sealedBegins - IV_BYTES);
  const iv = blob.subarray(header.length, sealedBegins);
  const decipher = createDecipheriv("aes-256-gcm", material, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([header, canonical(context)]));
  decipher.setAuthTag(blob.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(blob.subarray(sealedBegins, -TAG_BYTES)), decipher.final()]);
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
