/** What the lists of leases say about scopes. Pure. */
import { findingCount } from "../account.ts";
import type { Listing } from "../listing.ts";
import { span } from "../time.ts";
import type { Finding } from "./finding.ts";

/** `now`: the broker's. */
export function brokerFindings(listings: readonly Listing[], now: number): Finding[] {
  return listings.flatMap((listing) => [...frozen(listing), ...pending(listing, now), ...account(listing)]);
}

function frozen({ scope, frozen }: Listing): Finding[] {
  if (!frozen) return [];
  const { by, at, reason } = frozen;
  const who = by.slice(by.indexOf("/") + 1);
  return [{ what: "frozen", subject: scope, text: `by ${who}: ${reason}`, since: at, wrong: true }];
}

function pending({ scope, leases }: Listing, now: number): Finding[] {
  const open = leases.filter(({ state }) => state === "pending");
  const [oldest] = open.toSorted((one, other) => one.issued_at.localeCompare(other.issued_at));
  if (!oldest) return [];
  const ends = open.map(({ token_ends_at }) => Date.parse(token_ends_at ?? "")).filter(Number.isFinite);
  const work = ends.length === 0 ? "" : `, may work for ${span((Math.max(...ends) - now) / 1_000)}`;
  const count = `${open.length} ${open.length === 1 ? "logout is" : "logouts are"} not confirmed`;
  return [
    {
      what: "pending",
      subject: scope,
      text: `${count}${work}`,
      lead: "the oldest lease began",
      since: oldest.issued_at,
      wrong: true,
      runbook: "pending-logouts",
    },
  ];
}

function account({ scope, account }: Listing): Finding[] {
  if (!account || account.findings.length === 0) return [];
  const text = `${findingCount(account.findings.length)}: ${account.findings.join(", ")}`;
  return [{ what: "account", subject: scope, text, wrong: true, runbook: "account-findings" }];
}
