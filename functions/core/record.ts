/**
 * What a use case found, for the audit record: an allow-list by type. Nothing else of a request is ever recorded, and no
 * field can hold a token, a secret, or text that a caller chose.
 */
export interface Findings {
  /** How a token request was answered. */
  outcome?: "hit" | "minted" | "waited" | "revoked" | "listed" | "counted" | "frozen" | "unfrozen" | "swept";
  lease_id?: string;
  /** Hex SHA-256 of the token that was handed out. */
  token_sha256?: string;
  client_id?: string;
  secret_version?: string;
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
  /** Why, where the code alone does not tell: from a fixed vocabulary. */
  reason?: string;
  /** Class name of an unexpected error that the request survived; never its message. */
  error?: string;
  /** Milliseconds spent, by dependency. */
  looker_ms?: number;
  wait_ms?: number;
}

type Counter = "possible_orphans" | "unreadable" | "expired" | "slots";

export function count(findings: Findings, what: Counter, by = 1): void {
  findings[what] = (findings[what] ?? 0) + by;
}
