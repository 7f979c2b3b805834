/** Temporary credentials, shaped as STS gives them. */
import { randomBytes } from "node:crypto";

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export function createSessionCredentials(): SessionCredentials {
  return {
    accessKeyId: `ASIA${awsIdLetters(randomBytes(16), 16)}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(96).toString("base64"),
  };
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Of the characters that AWS makes its ids of. */
export const awsIdLetters = (bytes: Uint8Array, length: number): string =>
  Array.from(bytes.subarray(0, length), (byte) => alphabet[byte % 32]).join("");
