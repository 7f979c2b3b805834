/** What all calls to Looker have in common: whom a secret may be sent to, and the forms of Looker's answers. */
import { isLoopback } from "../domain/scope.ts";
import type { Answer } from "./looker-http.ts";

/** The scope's definition was checked; a row's base_url was not, and both come this way. */
export function maySendSecretsTo(baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** RFC 6750 §2.1, b64token: what cannot be a header value cannot be a token. */
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

/** Undefined where there is none. Swallows JSON.parse's message: it quotes what it could not parse. */
export function jsonOf({ text, tooLarge }: Answer): unknown {
  if (tooLarge) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
