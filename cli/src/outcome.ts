/** The outcome of ending leases, in one true word. */
import type { Paint } from "./colour.ts";
import { exitCodes } from "./exit-codes.ts";

/** The broker's answer to a logout, a revocation and a freeze. */
export interface RevocationCounts {
  /** Confirmed dead by Looker. */
  readonly revoked: number;
  /** Given to nobody any more, and not confirmed. */
  readonly pending: number;
}

/** The final counts, after following the leases. */
export interface RevocationResult extends RevocationCounts {
  /** Never confirmed; at the end of their life Looker itself has ended them. */
  readonly expired: number;
  /** Left the broker between two looks: a login under way that brought no token, or an end that somebody else brought about. */
  readonly gone: number;
  /** Meant by a request whose answer was lost, and perhaps given out still. */
  readonly unknown: number;
  /** The broker's answer was lost: all of this is by its list. */
  readonly answerLost?: true;
}

export type Outcome = "revoked" | "pending" | "expired" | "unknown";

/** The least that is certain of all of them. */
export function outcomeOf({ pending, expired, unknown }: RevocationResult): Outcome {
  if (unknown > 0) return "unknown";
  if (pending > 0) return "pending";
  return expired > 0 ? "expired" : "revoked";
}

export const exitCodeOf = ({ pending, unknown }: RevocationResult): number =>
  pending + unknown > 0 ? exitCodes.pending : exitCodes.ok;

/** `what`: whose, as in `sales` or `yours in sales`. */
export const outcomeLine = (result: RevocationResult, what: string, paint: Paint): string =>
  `${outcomeWord(outcomeOf(result), paint)}  ${outcomeText(result, what)}\n`;

/** The rest of the line, behind the word. */
export function outcomeText(result: RevocationResult, what: string): string {
  const outcome = outcomeOf(result);
  const { revoked, pending, expired, gone, unknown, answerLost } = result;
  const words = {
    revoked:
      revoked === 0
        ? ""
        : `${leases(revoked)} of ${what}; Looker confirmed ${revoked === 1 ? "its" : "each one's"} end`,
    pending: `${leases(pending)} of ${what}; given to nobody any more, but not confirmed dead: the broker goes on trying`,
    expired: `${leases(expired)} of ${what}; ended by Looker itself at the end of the token's life, never confirmed`,
    unknown: `${leases(unknown)} of ${what}; perhaps given out still: run it again`,
  };
  const more = [
    words[outcome] || (gone === 0 ? `nothing of ${what}: no lease matched` : ""),
    outcome === "unknown" && pending > 0 ? `${pending} pending` : "",
    outcome !== "revoked" && revoked > 0 ? `${revoked} revoked` : "",
    outcome !== "revoked" && outcome !== "expired" && expired > 0 ? `${expired} expired` : "",
    gone > 0 ? `${gone} not there any more, such as a login that was caught under way` : "",
    answerLost ? "the broker's first answer was lost, this is by its list" : "",
  ];
  return more.filter(Boolean).join("; ");
}

export const outcomeWord = (outcome: Outcome, paint: Paint): string =>
  paint(outcome === "revoked" ? "green" : "yellow", outcome);

export const leases = (count: number): string => `${count} ${count === 1 ? "lease" : "leases"}`;

/** How many, in a scope or in all of them. */
export function counts({ revoked, pending, expired, gone, unknown }: RevocationResult) {
  return { revoked, pending, expired, gone, unknown };
}

export function sum(results: readonly RevocationResult[]): RevocationResult {
  const of = (count: keyof ReturnType<typeof counts>) =>
    results.reduce((total, result) => total + result[count], 0);
  return {
    revoked: of("revoked"),
    pending: of("pending"),
    expired: of("expired"),
    gone: of("gone"),
    unknown: of("unknown"),
    ...(results.some(({ answerLost }) => answerLost) ? { answerLost: true } : {}),
  };
}
