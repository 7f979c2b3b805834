/** `looker-token leases`: who holds what, and whether it is given out at all. */
import { checkUniqueId, findingCount } from "../account.ts";
import { brokerOf } from "../broker.ts";
import type { Paint } from "../colour.ts";
import { type ListedLease, type Listing, listingOf } from "../listing.ts";
import type { OptionValues } from "../options.ts";
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
  else if (listings.length > 0) io.print(listingText(listings, broker.now(), io.paint, all.length > 1));
  return noteFailures(io, values, all);
}

/** `now`: the broker's. `several`: of the scopes that were asked for, even where only one answered. */
export function listingText(
  listings: readonly Listing[],
  now: number,
  paint: Paint,
  several = listings.length > 1,
): string {
  // A terminal is narrow: where nobody has a session there is no column for it.
  const withSession = listings.some(({ leases }) => leases.some(({ session }) => session));
  const rows = listings.flatMap(({ scope, leases }) =>
    [...leases]
      .sort(byCaller)
      .map((lease) => [...(several ? [scope] : []), ...cells(lease, now, { paint, withSession })]),
  );
  const heads = [
    "CALLER",
    ...(withSession ? ["SESSION"] : []),
    ...["LEASE", "STATE", "AGE", "REMAINING", "CREDENTIAL"],
  ];
  const frozen = listings.flatMap(({ scope, frozen }) =>
    frozen
      ? [`${paint("yellow", "frozen")}  ${scope}, by ${frozen.by} at ${frozen.at}: ${frozen.reason}\n`]
      : [],
  );
  const found = listings.flatMap(({ scope, account }) =>
    account && account.findings.length > 0
      ? [
          `${paint("yellow", "account")}  ${scope}: ${findingCount(account.findings.length)} (${account.findings.join(", ")}); looker-token account --scope ${scope}\n`,
        ]
      : [],
  );
  const held =
    rows.length === 0
      ? `No leases in ${listings.map(({ scope }) => scope).join(", ")}.\n`
      : table([...(several ? ["SCOPE"] : []), ...heads], rows, paint);
  return [...frozen, ...found, held].join("");
}

const byCaller = (one: ListedLease, other: ListedLease) =>
  one.caller.localeCompare(other.caller) ||
  (one.session ?? "").localeCompare(other.session ?? "") ||
  one.issued_at.localeCompare(other.issued_at);

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
