/** `GET /scopes/{scope}/leases`, to its last page. */
import type { Broker } from "./broker.ts";

export interface ListedLease {
  /** None while a login is under way. */
  readonly lease_id: string | null;
  readonly caller: string;
  readonly unique_id: string;
  /** None of the lease that the caller's processes share. An older broker has none at all. */
  readonly session?: string | null;
  readonly state: "live" | "superseded" | "pending" | "minting";
  readonly issued_at: string;
  /** The end of the lease. Its token is logged out then. */
  readonly ends_at: string | null;
  /** Then at the latest Looker has ended the token by itself. A token that leaves the list earlier was confirmed dead. */
  readonly token_ends_at: string | null;
  readonly client_id: string | null;
}

export interface Frozen {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** The last check of the scope's service account. Missing before the first check. */
export interface AccountSummary {
  readonly checked_at: string;
  /** Codes, without the accepted ones. */
  readonly findings: readonly string[];
}

export interface Listing {
  readonly scope: string;
  readonly frozen?: Frozen;
  readonly account?: AccountSummary;
  readonly leases: readonly ListedLease[];
}

export interface LeasePage {
  readonly frozen?: Frozen;
  /** On the first page. */
  readonly account?: AccountSummary;
  readonly leases: readonly ListedLease[];
  readonly next_token?: string;
}

interface Limits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** The scope without its leases. One request is enough. */
export async function stateOf(
  broker: Broker,
  scope: string,
  limits: Limits = {},
): Promise<Omit<Listing, "leases">> {
  const { value: page } = await pagesOf(broker, scope, limits).next();
  const { frozen, account } = page ?? {};
  return { scope, ...(frozen ? { frozen } : {}), ...(account ? { account } : {}) };
}

export async function* pagesOf(
  broker: Broker,
  scope: string,
  limits: Limits = {},
): AsyncGenerator<LeasePage, void> {
  let next: string | undefined;
  do {
    const page: LeasePage = await broker.ask({
      method: "GET",
      path: `/scopes/${scope}/leases`,
      query: next === undefined ? undefined : { next_token: next },
      ...limits,
    });
    yield page;
    next = page.next_token;
  } while (next !== undefined);
}

export async function listingOf(broker: Broker, scope: string, limits: Limits = {}): Promise<Listing> {
  const leases: ListedLease[] = [];
  let account: AccountSummary | undefined;
  let frozen: Frozen | undefined;
  for await (const page of pagesOf(broker, scope, limits)) {
    leases.push(...page.leases);
    account ??= page.account;
    // The last page is the newest.
    frozen = page.frozen;
  }
  return { scope, ...(frozen ? { frozen } : {}), ...(account ? { account } : {}), leases };
}
