/** One thing that `looker-token status` has to say. */

export interface Finding {
  readonly what: "frozen" | "pending" | "logins" | "account" | "rotation" | "sweeper" | "alarm";
  /** A scope, a secret or an alarm. */
  readonly subject?: string;
  readonly text: string;
  /** ISO 8601. */
  readonly since?: string;
  /** What was then, in front of how long ago it was. */
  readonly lead?: string;
  /** False: it is as it should be. */
  readonly wrong: boolean;
  /** The entry in the runbook. */
  readonly runbook?: string;
}

/** What could not be looked at, and why. */
export interface Unseen {
  readonly what: string;
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
}
