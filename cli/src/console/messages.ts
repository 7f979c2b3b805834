/** The page's questions, and lines of JSON as answers. The last line is `done` or `failed`. */
import type { AccountCheck } from "../account.ts";
import type { Denial } from "../denial.ts";
import type { Ended } from "../end-leases.ts";
import type { Filter } from "../filter.ts";
import type { AccountSummary, Frozen, ListedLease } from "../listing.ts";
import type { RevocationResult } from "../outcome.ts";

export interface Questions {
  /** All scopes and leases. `used`: somebody has touched the page since the last time. */
  look: { readonly used: boolean };
  account: { readonly scope: string };
  whose: { readonly token_sha256: string };
  count: { readonly scope: string; readonly filter: Filter };
  /** `typed`: the scope's name as the operator typed it, where all of the scope is meant. */
  revoke: { readonly scope: string; readonly filter: Filter; readonly typed?: string };
  freeze: { readonly scope: string; readonly reason: string; readonly typed: string };
  unfreeze: { readonly scope: string };
}

export type QuestionName = keyof Questions;

export interface ScopeGrantLine {
  readonly scope: string;
  readonly baseUrl: string;
  readonly leaseSeconds: number;
}

export interface MessageError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export type Message =
  | {
      readonly kind: "scopes";
      readonly operator: string;
      readonly endpoint: string;
      readonly region: string;
      readonly scopes: readonly ScopeGrantLine[];
    }
  | {
      readonly kind: "page";
      readonly scope: string;
      readonly frozen?: Frozen;
      readonly account?: AccountSummary;
      readonly leases: readonly ListedLease[];
      /** The broker's time, milliseconds since 1970. */
      readonly now: number;
    }
  | { readonly kind: "scope_done"; readonly scope: string }
  | { readonly kind: "scope_failed"; readonly scope: string; readonly error: MessageError }
  | { readonly kind: "account"; readonly check: AccountCheck }
  | { readonly kind: "found"; readonly scope: string; readonly lease: ListedLease }
  | { readonly kind: "count"; readonly matched: number; readonly denial?: Denial }
  | { readonly kind: "answer_lost"; readonly scope: string }
  | { readonly kind: "frozen"; readonly scope: string; readonly frozen: Frozen }
  | { readonly kind: "progress"; readonly scope: string; readonly result: RevocationResult }
  | { readonly kind: "ended"; readonly scope: string; readonly result: Ended }
  /** `was`: the freeze that it ended. Null: there was none. */
  | { readonly kind: "unfrozen"; readonly scope: string; readonly was?: Frozen | null }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: MessageError };
