/** A local run may last for days. The oldest entries go first. Ten thousand are four minutes at 40 requests a second. */
const MAX_ENTRIES = 10_000;

type LedgerEvent =
  | "login"
  | "login_failed"
  | "login_locked_out"
  | "login_user"
  | "logout"
  | "logout_unknown"
  | "logout_expired"
  /** On Looker's pages. */
  | "sign_in"
  | "sign_in_failed"
  | "page"
  | "oauth_consented"
  | "oauth_denied"
  /** A token for a code, and for a refresh token. */
  | "oauth_token"
  | "oauth_refresh"
  | "oauth_refused"
  | "pair_created"
  | "pair_marked"
  | "pair_deleted"
  | "api"
  | "api_unauthorized"
  /** Authenticated, but refused: not an admin, or no such thing. */
  | "api_refused"
  /** A browser's question before the call of a page. */
  | "preflight"
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
  /** 0 without an answer. */
  status: number;
  clientId?: string;
  userId?: string;
  /** Never the token. */
  tokenSha256?: string;
  /** The new, marked or deleted pair. The entry's own `clientId` and `userId` are those of the requester. */
  pair?: { id: string; clientId: string; userId: string };
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
