/** No answer came. */
import { TokenBrokerError } from "./token-broker-error.ts";

/** A name that does not exist and a certificate that does not fit stay so; all else may be over in a second. */
const lasting = /^(ENOTFOUND|CERT_.*|ERR_TLS_.*|.*_SIGNATURE|.*SELF_SIGNED.*|UNABLE_TO_.*|DEPTH_ZERO_.*)$/;

export const isLasting = (code: string): boolean => lasting.test(code);

export function unreachableError(error: unknown, host: string): TokenBrokerError {
  const code = codeOf(error);
  return new TokenBrokerError("unreachable", `${host} cannot be reached${code ? ` (${code})` : ""}.`, {
    retryable: !(code && isLasting(code)),
  });
}

/** fetch says "fetch failed", and why in its cause; where several addresses were tried, in that one's list. */
export function codeOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 4) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown[] };
  // Only such a code: a message may quote what was sent.
  if (typeof code === "string" && /^[A-Z0-9_]{3,50}$/.test(code)) return code;
  return codeOf(cause, depth + 1) ?? codeOf(errors?.[0], depth + 1);
}
