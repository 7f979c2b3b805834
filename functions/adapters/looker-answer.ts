/** The common ground of all calls to Looker: which hosts may get a secret, and the forms of Looker's answers. */
import { isLoopback } from "../domain/scope.ts";
import type { Answer } from "./looker-http.ts";

/** A scope's definition was checked before, but the base_url of a row was not. */
export function maySendSecretsTo(baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** The form b64token of RFC 6750 §2.1. Another text could not be sent in a header. */
export const isToken = (value: unknown): value is string =>
  typeof value === "string" && /^[\w.~+/-]{8,2048}=*$/.test(value);

export const fieldsOf = (json: unknown): Record<string, unknown> =>
  typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};

/** Looker's error shape: `{"message": string|null, "documentation_url": string|null}`. */
export function isLookerError(json: unknown): boolean {
  const { message, documentation_url: url } = fieldsOf(json);
  const isTextOrNull = (value: unknown) => typeof value === "string" || value === null;
  return isTextOrNull(message) && isTextOrNull(url);
}

/** Undefined if the text is not JSON. The message of JSON.parse is dropped because it quotes the text. */
export function jsonOf({ text, tooLarge }: Answer): unknown {
  if (tooLarge) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
