/** `looker-token leases`: who holds what, and whether it is given out at all. */
import { checkUniqueId } from "../account.ts";
import { brokerOf } from "../broker.ts";
import type { Paint } from "../colour.ts";
import { type ListedLease, type Listing, listingOf } from "../listing.ts";
import type { OptionValues } from "../options.ts";
import { stateLines } from "../scope-state.ts";
import { table } from "../table.ts";
import { inEachScope, noteFailures, operatorGrant, scopesJson, succeeded, targetScopes } from "../targets.ts";
import type { Terminal } from "../terminal.ts";
import { span } from "../time.ts";

export async function leases(io: Terminal, values: OptionValues): Promise<number> {
  const broker = brokerOf(io, values, operatorGrant(values));
  const all = await inEachScope(await targetScopes(values, broker), (scope) => listingOf(broker, scope));
  const listings = succeeded(all).map(({ value }) => value);
  if (values.json)
    io.print(`${JSON.stringify({ scopes: scopesJson(all, (listing) => listing) }, null, 2)}\n`);
  else if (listings.length > 0)
    io.print(listingText(listings, broker.now(), { ...io, several: all.length > 1 }));
  return noteFailures(io, values, all);
}

export interface ListingForm extends Pick<Terminal, "paint"> {
  readonly width?: number | undefined;
  /** Scopes were asked for, even where only one answered. */
  readonly several?: boolean;
}

/** `now`: the broker's. */
export function listingText(listings: readonly Listing[], now: number, form: ListingForm): string {
  const { paint, width, several = listings.length > 1 } = form;
  // A terminal is narrow: where nobody has a session there is no column for it.
  const withSession = listings.some(({ leases }) => leases.some(({ session }) => session));
  const rows = listings
    .flatMap(({ scope, leases }) => leases.map((lease) => ({ scope, lease })))
    .sort((one, other) => byTime(one.lease, other.lease))
    .map(({ scope, lease }) => [...(several ? [scope] : []), ...cells(lease, now, { paint, withSession })]);
  const keys = [...(several ? ["SCOPE"] : []), "CALLER", ...(withSession ? ["SESSION"] : [])];
  const heads = [...keys, "LEASE", "STATE", "AGE", "REMAINING", "CREDENTIAL"];
  const held =
    rows.length === 0
      ? `No leases in ${listings.map(({ scope }) => scope).join(", ")}.\n`
      : table(heads, rows, paint, { width, keys: keys.length });
  return stateLines(listings, paint) + held;
}

/** The youngest lease stands last, next to the prompt. */
const byTime = (one: ListedLease, other: ListedLease) =>
  Date.parse(one.issued_at) - Date.parse(other.issued_at) ||
  one.caller.localeCompare(other.caller) ||
  (one.session ?? "").localeCompare(other.session ?? "");

const colours = { live: "green", superseded: "dim", pending: "yellow", minting: "dim" } as const;

function cells(
  lease: ListedLease,
  now: number,
  { paint, withSession }: { paint: Paint; withSession: boolean },
): string[] {
  // A live one is served until its end; a token that was replaced or revoked may work at Looker for longer.
  const end = lease.state === "live" ? lease.ends_at : lease.token_ends_at;
  const seconds = (until: number) => span(until / 1_000);
  return [
    // The ARN of the check names no role in IAM.
    lease.unique_id === checkUniqueId ? "broker's account check" : lease.caller,
    ...(withSession ? [lease.session ?? "-"] : []),
    lease.lease_id ?? "-",
    paint(colours[lease.state], lease.state),
    seconds(now - Date.parse(lease.issued_at)),
    end === null ? "-" : seconds(Date.parse(end) - now),
    lease.client_id ?? "-",
  ];
}
