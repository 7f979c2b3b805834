/** `looker-token leases`: who holds what, and whether it is given out at all. */
import { brokerOf } from "./broker.ts";
import type { Paint } from "./colour.ts";
import { type ListedLease, type Listing, listingOf } from "./listing.ts";
import type { Values } from "./options.ts";
import { table } from "./table.ts";
import { inEach, noteFailures, operatorsNeed, succeeded, targetsOf } from "./targets.ts";
import type { Terminal } from "./terminal.ts";
import { span } from "./time.ts";

export async function leases(io: Terminal, values: Values): Promise<number> {
  const broker = brokerOf(values, operatorsNeed(values));
  const all = await inEach(await targetsOf(values, broker), (scope) => listingOf(broker, scope));
  const listings = succeeded(all).map(({ value }) => value);
  if (values.json) io.print(`${JSON.stringify({ scopes: listings }, null, 2)}\n`);
  else io.print(listingText(listings, Date.now(), io.paint));
  return noteFailures(io, values, all);
}

export function listingText(listings: readonly Listing[], now: number, paint: Paint): string {
  const several = listings.length > 1;
  const rows = listings.flatMap(({ scope, leases }) =>
    [...leases].sort(byCaller).map((lease) => [...(several ? [scope] : []), ...cells(lease, now, paint)]),
  );
  const heads = ["CALLER", "LEASE", "STATE", "AGE", "REMAINING", "CREDENTIAL"];
  const frozen = listings.flatMap(({ scope, frozen }) =>
    frozen
      ? [`${paint("yellow", "frozen")}  ${scope}, by ${frozen.by} at ${frozen.at}: ${frozen.reason}\n`]
      : [],
  );
  const held =
    rows.length === 0
      ? `No leases in ${listings.map(({ scope }) => scope).join(", ")}.\n`
      : table([...(several ? ["SCOPE"] : []), ...heads], rows, paint);
  return frozen.join("") + held;
}

const byCaller = (one: ListedLease, other: ListedLease) =>
  one.caller.localeCompare(other.caller) || one.issued_at.localeCompare(other.issued_at);

const colours = { live: "green", superseded: "dim", pending: "yellow", minting: "dim" } as const;

function cells(lease: ListedLease, now: number, paint: Paint): string[] {
  const seconds = (until: number) => span(until / 1_000);
  return [
    lease.caller,
    lease.lease_id ?? "-",
    paint(colours[lease.state], lease.state),
    seconds(now - Date.parse(lease.issued_at)),
    lease.ends_at === null ? "-" : seconds(Date.parse(lease.ends_at) - now),
    lease.client_id ?? "-",
  ];
}
