/** A line of `looker-token status`. */

export interface Finding {
  readonly what: "frozen" | "pending" | "logins" | "account" | "rotation" | "sweeper" | "alarm";
  /** A scope, a secret or an alarm. */
  readonly subject?: string;
  readonly text: string;
  /** ISO 8601. */
  readonly since?: string;
  /** Words in front of the time since then. */
  readonly lead?: string;
  /** False for good news. */
  readonly wrong: boolean;
  /** The entry in the runbook. */
  readonly runbook?: string;
}

/** A part without an answer, with the reason. */
export interface Unseen {
  readonly what: string;
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
}
