/** Compares a secret in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";

/** Of the hashes, since `timingSafeEqual` wants texts of one length. */
export const isSameText = (given: string | undefined, own: string): boolean =>
  timingSafeEqual(sha256(given ?? ""), sha256(own)) && given !== undefined;

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
