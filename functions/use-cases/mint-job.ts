/** A login under a slot's lock: its inputs and its result. */
import type { Credential } from "../domain/control.ts";
import type { MintFailure } from "../domain/failures.ts";
import type { Scope } from "../domain/scope.ts";
import type { SpentLogin } from "../domain/session-budget.ts";
import type { Mint } from "../domain/slot.ts";
import type { FailedMint, Unwanted } from "../domain/slot-mint.ts";
import type { LogOutPorts } from "./end-tokens.ts";
import { type ClientSecrets, type SlotKey, Unavailable, Unreadable, UnusableSecret } from "./ports.ts";
import { type AuditFields, count } from "./record.ts";

export interface MintPorts extends LogOutPorts {
  readonly secrets: ClientSecrets;
}

export interface MintJob {
  readonly scope: Scope;
  readonly key: SlotKey;
  readonly lock: Mint;
  /** Present for a session. A session's slot counts no logins, and taking its lock drops no lease. */
  readonly session?: SessionMint | undefined;
  readonly deadline: number;
  readonly audit: AuditFields;
}

export interface SessionMint {
  /** This login, as the caller's budget counts it. */
  readonly spent: SpentLogin;
  /** The lease reported stale, or the lease of an edited row. */
  readonly unwanted?: Unwanted;
}

/** A job at the beginning of its login. */
export interface LoginJob extends MintJob {
  readonly credential: Credential;
  /** As read after the lock. A later freeze makes the lease one of an older epoch. */
  readonly epoch: number;
  /** This version of the secret has not worked at this Looker before. */
  readonly writtenAhead: boolean;
}

/** The lock is given back already, and no token is in hand. */
export interface Settled {
  readonly settled: true;
  readonly noTokenLeft?: never;
  readonly failure?: MintFailure | undefined;
}

/** If the result is not settled, the lock is still to be released. */
export type MintResult = Settled | ({ readonly settled?: never } & Omit<FailedMint, "digest">);

/** Turns a thrown error into a failure for all requests of the slot, and notes its reason for the audit record. */
export function failureOf(error: unknown, audit: AuditFields): MintFailure {
  if (error instanceof UnusableSecret) {
    audit.reason = `secret_${error.reason}`;
    return {
      code: "looker_rejected_credentials",
      detail: `The scope's secret cannot be used (${error.reason}). An operator should check it in Secrets Manager.`,
    };
  }
  if (error instanceof Unavailable) audit.reason = error.reason;
  else {
    // A mistake in the deployment, such as a missing permission or key. The record names it.
    audit.reason = "mint_failed";
    if (error instanceof Unreadable) count(audit, "unreadable");
    const { name } = error as { name?: unknown };
    if (typeof name === "string" && /^[A-Za-z]{1,64}$/.test(name)) audit.error = name;
  }
  return { code: "busy" };
}
