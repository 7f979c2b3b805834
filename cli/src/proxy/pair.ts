/**
 * The credentials that a tool logs in with at the proxy. They are worth nothing elsewhere: Looker does not know them, and
 * nothing beyond loopback reaches the proxy.
 */
import { randomBytes } from "node:crypto";
import { isSameText } from "../same-text.ts";
import { UsageError } from "../usage-error.ts";

export interface LocalPair {
  readonly id: string;
  readonly secret: string;
}

/** Letters and digits alone, so that no shell, ini file or URL needs an escape. */
export function newPair(): LocalPair {
  return { id: randomBytes(10).toString("hex"), secret: randomBytes(24).toString("hex") };
}

const idVariable = "LOOKER_PROXY_CLIENT_ID";
const secretVariable = "LOOKER_PROXY_CLIENT_SECRET";

/** For a sidecar, whose neighbour gets the same two values by its own manifest. Undefined: neither variable is set. */
export function pairOfEnvironment(environment: NodeJS.ProcessEnv): LocalPair | undefined {
  const [id, secret] = [environment[idVariable], environment[secretVariable]];
  if (!id && !secret) return undefined;
  // A short secret could be guessed by another user of the machine.
  if (!id || !secret || !/^[\w.~-]+$/.test(`${id}${secret}`) || secret.length < 16)
    throw new UsageError(
      `${idVariable} and ${secretVariable} belong together: letters, digits and ._~- alone, the secret at least 16 of them.`,
    );
  return { id, secret };
}

/** In constant time, of both values in any case. */
export function isSamePair(given: Partial<LocalPair>, own: LocalPair): boolean {
  const [sameId, sameSecret] = [isSameText(given.id, own.id), isSameText(given.secret, own.secret)];
  return sameId && sameSecret;
}
