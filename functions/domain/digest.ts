/** What stands for a text that is not to be kept, or is too long for it. */
import { createHash } from "node:crypto";

/** Hex: as records and Looker's ledger name a token. */
export const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");

/** SHA-256 cut to 132 bits: short in a row, and still nobody finds two texts of one digest. */
export const digestOf = (text: string): string =>
  createHash("sha256").update(text).digest("base64url").slice(0, 22);
