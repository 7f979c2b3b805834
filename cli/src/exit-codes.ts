/** What a script can rely on; CLI.md has the table. `exec` answers with its command's own code once that has begun. */
import type { TokenBrokerErrorCode } from "../../client/src/errors/token-broker-error.ts";

export const exitCodes = {
  ok: 0,
  /** Answered "no" at a question, or a defect of this program. */
  notDone: 1,
  usage: 2,
  refused: 3,
  unavailable: 4,
  /** Pending, or unknown: not certainly dead. */
  pending: 5,
  /** By Ctrl-C, as a shell has it. */
  stopped: 130,
} as const;

/** The same call will be answered the same until somebody changes something: a grant, a policy, credentials. */
const refused: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "not_allowed",
  "scope_frozen",
  "access_denied",
  "bad_signature",
  // AWS refuses every call of this machine until its clock is set.
  "clock_skew",
  "bad_credentials",
  "expired_credentials",
  "no_credentials",
]);

/** What was asked for, or where, is wrong: the command line or the environment has to change. */
const usage: ReadonlySet<TokenBrokerErrorCode> = new Set([
  "bad_request",
  "payload_too_large",
  "no_endpoint",
  "no_such_route",
  "no_region",
  "wrong_region",
  "sudo_unsupported",
]);

/** All else is "unavailable", `not_a_broker` too: what answers is mostly a proxy or a load balancer on the way. */
export function exitCodeOf(code: TokenBrokerErrorCode): number {
  if (code === "aborted") return exitCodes.stopped;
  if (usage.has(code)) return exitCodes.usage;
  return refused.has(code) ? exitCodes.refused : exitCodes.unavailable;
}
