/** What came of ending leases, in one word that is true. */
import type { Paint } from "./colour.ts";
import { exitCodes } from "./exit-codes.ts";

export interface Ending {
  /** Confirmed dead by Looker. */
  readonly revoked: number;
  /** Given to nobody any more, and not confirmed. */
  readonly pending: number;
  /** Never confirmed; Looker's own clock has ended them. */
  readonly expired: number;
  /** Left the broker between two looks: a login under way that brought no token, or an end that somebody else brought about. */
  readonly gone: number;
}

export type Outcome = "revoked" | "pending" | "expired";

/** The least that is certain of all of them. */
export function outcomeOf({ pending, expired }: Ending): Outcome {
  if (pending > 0) return "pending";
  return expired > 0 ? "expired" : "revoked";
}

export const exitCodeOf = (ending: Ending): number => (ending.pending > 0 ? exitCodes.pending : exitCodes.ok);

/** `what`: whose, as in `sales` or `your leases in sales`. */
export function outcomeLine(ending: Ending, what: string, paint: Paint): string {
  const outcome = outcomeOf(ending);
  const { revoked, pending, expired, gone } = ending;
  const words = {
    revoked:
      revoked === 0
        ? ""
        : `${leases(revoked)} of ${what}; Looker confirmed ${revoked === 1 ? "its" : "each one's"} end`,
    pending: `${leases(pending)} of ${what}; given to nobody any more, but not confirmed dead: the broker goes on trying`,
    expired: `${leases(expired)} of ${what}; dead by Looker's own clock, which nobody confirmed`,
  };
  const more = [
    words[outcome] || (gone === 0 ? `nothing of ${what}: no lease matched` : ""),
    outcome !== "revoked" && revoked > 0 ? `${revoked} revoked` : "",
    outcome === "pending" && expired > 0 ? `${expired} expired` : "",
    gone > 0 ? `${gone} not there any more, such as a login that was caught under way` : "",
  ];
  const text = more.filter(Boolean).join("; ");
  return `${paint(outcome === "revoked" ? "green" : "yellow", outcome)}  ${text}\n`;
}

export const leases = (count: number): string => `${count} ${count === 1 ? "lease" : "leases"}`;

export function sum(endings: readonly Ending[]): Ending {
  const of = (count: keyof Ending) => endings.reduce((total, ending) => total + ending[count], 0);
  return { revoked: of("revoked"), pending: of("pending"), expired: of("expired"), gone: of("gone") };
}
