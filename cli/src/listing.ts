/** `GET /scopes/{scope}/leases`, to its last page. */
import type { Broker } from "./broker.ts";

export interface ListedLease {
  /** None while a login is under way. */
  readonly lease_id: string | null;
  readonly caller: string;
  readonly unique_id: string;
  /** None of the lease that the caller's processes share. A broker of before has none at all. */
  readonly session?: string | null;
  readonly state: "live" | "superseded" | "pending" | "minting";
  readonly issued_at: string;
  /** Of the lease: served no longer, and logged out. */
  readonly ends_at: string | null;
  /** From then on Looker has certainly ended the token by itself; who leaves the list earlier was confirmed dead. */
  readonly token_ends_at: string | null;
  readonly client_id: string | null;
}

export interface Frozen {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** The last check of the scope's service account. A broker that has not checked yet has none. */
export interface AccountSummary {
  readonly checked_at: string;
  /** Codes, without those that the scope accepts. */
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

/** The scope without its leases: one request, however many there are. */
export async function stateOf(
  broker: Broker,
  scope: string,
  limits: Limits = {},
): Promise<Omit<Listing, "leases">> {
  const { frozen, account } = await pageOf(broker, scope, undefined, limits);
  return { scope, ...(frozen ? { frozen } : {}), ...(account ? { account } : {}) };
}

const pageOf = (
  broker: Broker,
  scope: string,
  next: string | undefined,
  limits: Limits,
): Promise<LeasePage> =>
  broker.ask({
    method: "GET",
    path: `/scopes/${scope}/leases`,
    query: next === undefined ? undefined : { next_token: next },
    ...limits,
  });

export async function* pagesOf(
  broker: Broker,
  scope: string,
  limits: Limits = {},
): AsyncGenerator<LeasePage, void> {
  let next: string | undefined;
  do {
    const page = await pageOf(broker, scope, next, limits);
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
