/** What a script can rely on. `exec` answers with its command's own code once the command has begun. */
import type { TokenBrokerErrorCode } from "../errors.ts";

export const exitCodes = {
  ok: 0,
  /** Answered "no" at a question, or a defect of this program. */
  notDone: 1,
  usage: 2,
  refused: 3,
  unavailable: 4,
  pending: 5,
  /** By Ctrl-C, as a shell has it. */
  stopped: 130,
} as const;

/** The same call will be answered the same until somebody changes something: a grant, a policy, credentials. */
const refused: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "not_allowed",
  "scope_frozen",
  "access_denied",
  "no_such_route",
  "bad_signature",
  "clock_skew",
  "wrong_region",
  "bad_credentials",
  "expired_credentials",
  "no_credentials",
]);

const usage: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "bad_request",
  "payload_too_large",
  "no_endpoint",
  "no_region",
]);

export function exitCodeOf(code: TokenBrokerErrorCode): number {
  if (code === "aborted") return exitCodes.stopped;
  if (usage.has(code)) return exitCodes.usage;
  return refused.has(code) ? exitCodes.refused : exitCodes.unavailable;
}
