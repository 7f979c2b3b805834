/** The form of a scope's name. Anything else could reach into the path of another route. */

/**
 * @example
 * ```ts
 * import { isScopeName, scopeNameRule } from "@looker-token-broker/client/broker";
 *
 * if (!isScopeName("Sales")) console.log(scopeNameRule);
 * ```
 */
export const isScopeName = (text: string): boolean =>
  typeof text === "string" && /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);

/** The same rule as {@link isScopeName}, for people. */
export const scopeNameRule = "A scope's name is 1 to 63 of a-z, 0-9 and -, not beginning with -.";
