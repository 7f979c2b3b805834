/** The rows of the table, filtered and in order. */
import { checkUniqueId } from "../../account.ts";
import type { ListedLease } from "../../listing.ts";
import type { ScopeView } from "./view.ts";

export interface Row {
  readonly key: string;
  readonly scope: string;
  readonly lease: ListedLease;
  /** The last part of the ARN. */
  readonly name: string;
  /** The rest of the ARN, in words. */
  readonly from: string;
  readonly issuedAt: number;
  /** The end that counts: of the lease while it is served, of the token at Looker afterwards. */
  readonly endsAt: number | undefined;
  readonly text: string;
}

export interface Selection {
  /** Undefined: all. */
  readonly scope: string | undefined;
  readonly state: ListedLease["state"] | "";
  readonly words: string;
  readonly sortBy: Column;
  readonly descending: boolean;
}

export type Column = "scope" | "caller" | "session" | "lease" | "state" | "age" | "remaining" | "credential";

const rowsOfList = new WeakMap<readonly ListedLease[], readonly Row[]>();

/** Made once for each list. */
function rowsOf({ scope, leases }: ScopeView): readonly Row[] {
  const known = rowsOfList.get(leases);
  if (known) return known;
  const rows = leases.map((lease) => rowOf(scope, lease));
  rowsOfList.set(leases, rows);
  return rows;
}

export function rowOf(scope: string, lease: ListedLease): Row {
  const { caller, unique_id, session, lease_id, client_id, state, issued_at } = lease;
  const end = state === "live" ? lease.ends_at : lease.token_ends_at;
  // The ARN of the check names no role in IAM.
  const name = unique_id === checkUniqueId ? "broker's account check" : (caller.split("/").at(-1) ?? caller);
  const [, account, kind] = /^arn:[\w-]+:iam::(\d{12}):(role|user)\//.exec(caller) ?? [];
  return {
    from: account === undefined || name !== caller.split("/").at(-1) ? caller : `${kind} of ${account}`,
    key: `${scope} ${unique_id} ${session ?? ""} ${lease_id ?? ""} ${issued_at}`,
    scope,
    lease,
    name,
    issuedAt: Date.parse(issued_at),
    endsAt: end === null ? undefined : Date.parse(end),
    text: [scope, name, caller, session, lease_id, client_id].join(" ").toLowerCase(),
  };
}

const sortValues: Readonly<Record<Column, (row: Row) => string | number>> = {
  scope: ({ scope }) => scope,
  caller: ({ name, lease }) => `${name} ${lease.caller}`,
  session: ({ lease }) => lease.session ?? "",
  lease: ({ lease }) => lease.lease_id ?? "",
  state: ({ lease }) => lease.state,
  age: ({ issuedAt }) => -issuedAt,
  remaining: ({ endsAt = Number.POSITIVE_INFINITY }) => endsAt,
  credential: ({ lease }) => lease.client_id ?? "",
};

export function selectRows(scopes: readonly ScopeView[], selection: Selection): Row[] {
  const words = selection.words.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = scopes
    .filter(({ scope }) => selection.scope === undefined || scope === selection.scope)
    .flatMap(rowsOf)
    .filter(
      ({ lease, text }) =>
        (selection.state === "" || lease.state === selection.state) &&
        words.every((word) => text.includes(word)),
    );
  const value = sortValues[selection.sortBy];
  const sign = selection.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, by: value(row) }))
    .sort((one, other) => sign * order(one.by, other.by) || order(one.row.key, other.row.key))
    .map(({ row }) => row);
}

const order = (one: string | number, other: string | number) => (one < other ? -1 : one > other ? 1 : 0);

/** The number of leases in each state. */
export function countsOf(leases: readonly ListedLease[]): [ListedLease["state"], number][] {
  const counts = new Map<ListedLease["state"], number>();
  for (const { state } of leases) counts.set(state, (counts.get(state) ?? 0) + 1);
  return (["live", "superseded", "pending", "minting"] as const).flatMap((state) => {
    const count = counts.get(state);
    return count ? [[state, count]] : [];
  });
}
