/** A local run may last for days; the oldest entries go first. At 40 requests a second ten thousand are four minutes. */
const MAX_ENTRIES = 10_000;

type LedgerEvent =
  | "login"
  | "login_failed"
  | "login_locked_out"
  | "login_user"
  | "logout"
  | "logout_unknown"
  | "logout_expired"
  | "api"
  | "api_unauthorized"
  /** Authenticated, but refused: not an admin, or no such thing. */
  | "api_refused"
  | "bad_request"
  | "unknown_route"
  /** An injected fault took the place of the effect: nothing was done. */
  | "fault";

export interface LedgerEntry {
  at: number;
  event: LedgerEvent;
  method: string;
  /** Without its query, which may hold credentials. */
  path: string;
  /** What was sent; 0 when no answer was. */
  status: number;
  clientId?: string;
  userId?: string;
  /** Never the token. */
  tokenSha256?: string;
  /** Looker still takes credentials from the query until the end of 2026; they end up in access logs there. */
  credentialsInQuery?: true;
  /** The injected fault that this request met, whether or not its effect took place. */
  fault?: string;
}

export class Ledger {
  #entries: LedgerEntry[] = [];

  record(entry: LedgerEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries = this.#entries.slice(MAX_ENTRIES / 10);
  }

  entries(): LedgerEntry[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  reset(): void {
    this.#entries = [];
  }
}
