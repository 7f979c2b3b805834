import { createHash, randomInt } from "node:crypto";

const TOKEN_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH = 40;

export function sha256(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function newToken(): string {
  return Array.from(
    { length: TOKEN_LENGTH },
    () => TOKEN_CHARACTERS[randomInt(TOKEN_CHARACTERS.length)],
  ).join("");
}
