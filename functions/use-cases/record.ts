/** What a use case found, for the audit record. */
import type { HiddenAnswer } from "../domain/account.ts";
import type { FindingCode } from "../domain/finding.ts";
import type { ProblemCode } from "../domain/problem.ts";

/**
 * An allow-list by type. Nothing else of a request is ever recorded, and no
 * field can hold a token, a secret, or free text; names that a caller chooses have the shape of names.
 */
export interface AuditFields {
  /** How a request was answered. */
  outcome?:
    | "hit"
    | "minted"
    | "waited"
    | "revoked"
    | "listed"
    | "counted"
    | "frozen"
    | "unfrozen"
    | "allowed"
    | "swept"
    | "checked"
    | "rotated"
    | "retired";
  /** The lease that was given out, or that the request named, by its id or by its token's hash. */
  lease_id?: string;
  /** The lease that this request's own login made, given out or not: a revocation may have overtaken it. */
  minted_lease_id?: string;
  /** Hex SHA-256 of the token that was handed out. */
  token_sha256?: string;
  client_id?: string;
  secret_version?: string;
  /** The end of the lease that was given out: epoch milliseconds here, ISO 8601 in the record, as all that end in `_at`. */
  lease_ends_at?: number;
  /** From then on Looker has certainly ended the token that was given out, logout or not. */
  token_ends_at?: number;
  /** The session that the request named. */
  session?: string;
  /** A lease that the caller reported as refused by Looker. */
  stale_lease_id?: string;
  /** Which list refused, and the patterns in it, none of which matched. */
  lock?: "callers" | "operators";
  patterns?: readonly string[];
  /** What an operator asked to end. */
  filters?: readonly string[];
  target_caller?: string;
  issued_before_at?: number;
  /** How the login that this request tried failed: also where a lease that is still good was served all the same. */
  mint_failure?: ProblemCode;
  /** Logins tried at Looker, including failures. */
  login_attempts?: number;
  /** Tokens that Looker made for this request. */
  logins?: number;
  /** Tokens that Looker confirmed to be dead, at this request. */
  logouts?: number;
  /** Logins that were not tried, since Looker would have counted one more failure, or had asked for fewer. */
  lockouts_avoided?: number;
  revoked?: number;
  pending?: number;
  /** Locks that ran out, and logins whose end is unknown: tokens that perhaps nobody holds. */
  possible_orphans?: number;
  /** Leases whose row had been edited or swapped. */
  unreadable?: number;
  matched?: number;
  /** Tokens whose Looker life ended before Looker confirmed a logout. */
  expired?: number;
  /** Slots looked at. */
  slots?: number;
  /** How long the longest due row had been due when the sweep began. */
  sweep_lag_ms?: number;
  /** Of the tokens not ended by the sweep: the oldest age of one at its next try. */
  oldest_pending_ms?: number;
  /** Failed steps of a rotation. */
  rotation_failures?: number;
  /** Secrets whose rotation is long overdue. */
  overdue?: number;
  /** Old pairs whose deletion is long overdue. */
  unretired?: number;
  /** Why, where the code alone does not tell: from a fixed vocabulary. */
  reason?: string;
  /** Class name of an unexpected error that the request survived; never its message. */
  error?: string;
  /** Milliseconds that this request waited for another that was logging in. */
  wait_ms?: number;
  /** All tokens made for this request, given out or not. Each gets a record of its own. */
  mints?: MintedToken[];
  /** Leases whose end Looker confirmed at this request: a record of their own each. */
  lease_ends?: LeaseEnd[];
  /** Number of findings about service accounts, without those accepted by their scopes. */
  account_findings?: number;
  /** Number of scopes with a failed last check. */
  account_checks_failed?: number;
  /** Service accounts that were checked. Each gets a record of its own. */
  account_checks?: CheckedScope[];
  /** Steps of a rotation, and changes of old pairs. Each gets a record of its own. */
  rotations?: RotationNote[];
}

/** The check of one scope's service account. */
export interface CheckedScope {
  readonly scope: string;
  readonly client_id?: string;
  /** Looker's id of the account. */
  readonly user_id?: string;
  /** Without those that the scope accepts. */
  readonly findings?: readonly FindingCode[];
  readonly accepted?: readonly FindingCode[];
  /** Answers that Looker does not show to the account. */
  readonly hidden?: readonly HiddenAnswer[];
  /** Why the check did not work: from a fixed vocabulary. */
  readonly reason?: string | undefined;
}

export type RotationStep = "createSecret" | "setSecret" | "testSecret" | "finishSecret";

/** A step of a rotation, or a change of an old pair. */
export interface RotationNote {
  readonly step: RotationStep | "retire";
  /** The secret's name. Absent if the event named no rotating secret. */
  readonly secret?: string;
  /** Of the secret. */
  readonly version?: string;
  readonly outcome: "done" | "failed" | "denied" | "allowed" | "deleted" | "forgotten";
  /** From a fixed vocabulary. */
  readonly reason?: string;
  readonly client_id?: string;
  /** Looker's id of the account. */
  readonly user_id?: string;
  /** With the reason `ambiguous_pairs`: how many. */
  readonly pairs?: number;
}

/** A new token. It names no holder: only the record of a served request does. */
export interface MintedToken {
  readonly scope: string;
  readonly lease_id: string;
  readonly client_id: string;
  /** Hex. */
  readonly token_sha256: string;
  /** Epoch milliseconds. Absent if Looker did not tell the life of the token. */
  readonly token_ends_at?: number | undefined;
}

/** A lease whose token Looker confirmed to be dead. */
export interface LeaseEnd {
  readonly scope: string;
  readonly account: string;
  /** The holder's immutable unique id. */
  readonly unique_id: string;
  /** Absent for the lease that the caller's processes shared. */
  readonly session?: string;
  readonly lease_id: string;
  readonly client_id: string;
}

export const counters = [
  "login_attempts",
  "logins",
  "logouts",
  "lockouts_avoided",
  "possible_orphans",
  "unreadable",
  "expired",
  "slots",
  "rotation_failures",
] as const;

type Counter = (typeof counters)[number];

export function count(audit: AuditFields, what: Counter, by = 1): void {
  audit[what] = (audit[what] ?? 0) + by;
}

/** Adds counts and entries of a part's record to the record of the whole. The other fields are of one request. */
export function addWork(audit: AuditFields, part: AuditFields): void {
  for (const counter of counters) if (part[counter] !== undefined) count(audit, counter, part[counter]);
  const { mints, lease_ends, account_checks } = part;
  if (mints) audit.mints = [...(audit.mints ?? []), ...mints];
  if (lease_ends) audit.lease_ends = [...(audit.lease_ends ?? []), ...lease_ends];
  if (account_checks) audit.account_checks = [...(audit.account_checks ?? []), ...account_checks];
}

/**
 * Notes a lease that a request names. The broker's own names have 20 characters; what is longer may be a token or a secret
 * that somebody sent in its place.
 */
export function noteNamed(
  audit: AuditFields,
  field: "lease_id" | "stale_lease_id",
  leaseId: string | undefined,
): void {
  if (leaseId !== undefined && leaseId.length <= 20) audit[field] = leaseId;
}
