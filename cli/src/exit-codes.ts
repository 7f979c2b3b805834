/** What a script can rely on; README.md has the table. `exec` answers with its command's own code once that has begun. */
import type { TokenBrokerErrorCode } from "@looker-token-broker/client/broker";

export const exitCodes = {
  ok: 0,
  /** Answered "no" at a question, or a defect of this program. */
  notDone: 1,
  usage: 2,
  refused: 3,
  unavailable: 4,
  /** Pending, or unknown: not certainly dead. */
  pending: 5,
  /** The work was done, and its result is lost: a full disk, or a file that could not be written. */
  unwritten: 6,
  /** By Ctrl-C, as a shell has it. */
  stopped: 130,
} as const;

const { usage, refused, unavailable, stopped } = exitCodes;

export const exitCodeOfError: Readonly<Record<TokenBrokerErrorCode, number>> = {
  // What was asked for, or where, is wrong: the command line or the environment has to change.
  bad_request: usage,
  payload_too_large: usage,
  no_endpoint: usage,
  no_such_route: usage,
  no_region: usage,
  wrong_region: usage,
  sudo_unsupported: usage,
  // The same call will be answered the same until somebody changes something: a grant, a policy, credentials.
  not_allowed: refused,
  scope_frozen: refused,
  access_denied: refused,
  bad_signature: refused,
  // AWS refuses every call of this machine until its clock is set.
  clock_skew: refused,
  bad_credentials: refused,
  expired_credentials: refused,
  no_credentials: refused,
  // Later, or elsewhere, the same call may succeed.
  too_many_mints: unavailable,
  looker_rejected_credentials: unavailable,
  looker_unavailable: unavailable,
  busy: unavailable,
  internal: unavailable,
  throttled: unavailable,
  unavailable,
  credentials_unavailable: unavailable,
  unreachable: unavailable,
  // What answers is mostly a proxy or a load balancer on the way.
  not_a_broker: unavailable,
  too_little_life: unavailable,
  timed_out: unavailable,
  aborted: stopped,
};
