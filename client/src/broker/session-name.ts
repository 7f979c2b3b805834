/** The form of a session's name, as docs/reference/openapi.yaml has it. */

/**
 * @example
 * ```ts
 * import { isSessionName, sessionNameRule } from "@looker-token-broker/client/broker";
 *
 * if (!isSessionName("nightly run")) console.log(sessionNameRule);
 * ```
 */
export const isSessionName = (text: string): boolean =>
  typeof text === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);

/** The same rule as {@link isSessionName}, for people. */
export const sessionNameRule =
  "A session's name is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', and begins with a letter or a digit.";
