/** A login under a slot's lock: what it is given, and what it comes to. */
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
  /** Of a session, whose slot counts no logins and drops no lease with its lock. */
  readonly session?: SessionMint | undefined;
  readonly deadline: number;
  readonly audit: AuditFields;
}

export interface SessionMint {
  /** This login, as the caller's budget counts it. */
  readonly spent: SpentLogin;
  /** The lease that was reported stale, or whose row was edited. */
  readonly unwanted?: Unwanted;
}

/** What is known when the login begins. */
export interface LoginJob extends MintJob {
  readonly credential: Credential;
  /** As read after the lock: a freeze that came later makes the lease one of an older epoch. */
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

/** What is not settled is released. */
export type MintResult = Settled | ({ readonly settled?: never } & Omit<FailedMint, "digest">);

/** What a thrown error means to those who share the slot. */
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
    // A mistake in the deployment, such as a permission or a key that is gone: the record names it.
    audit.reason = "mint_failed";
    if (error instanceof Unreadable) count(audit, "unreadable");
    const { name } = error as { name?: unknown };
    if (typeof name === "string" && /^[A-Za-z]{1,64}$/.test(name)) audit.error = name;
  }
  return { code: "busy" };
}
