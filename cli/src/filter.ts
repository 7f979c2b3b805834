/** Which leases are meant: the query of `DELETE /scopes/{scope}/leases`, and the same decision about a listed lease. */
import { callerOf } from "./caller.ts";
import type { ListedLease } from "./listing.ts";
import type { OptionValues } from "./options.ts";
import { issuedBefore } from "./time.ts";
import { UsageError } from "./usage-error.ts";

export interface Filter {
  readonly lease_id?: string;
  readonly caller?: string;
  readonly issued_before?: string;
  readonly client_id?: string;
  readonly all?: "true";
}

export const everything: Filter = { all: "true" };

/** Checks the options before anything is asked. @returns the filter, once the broker's time and the leases are known */
export function filterOf(
  values: OptionValues,
): (now: number, listed: readonly ListedLease[] | undefined) => Filter {
  const { "lease-id": leaseId, caller, "issued-before": before, "client-id": clientId } = values;
  const given = [leaseId, caller, before, clientId].some((each) => each !== undefined);
  if (values.all && given) throw new UsageError("--all stands alone: leave it or the filters out.");
  if (values.all) return () => everything;
  if (!given)
    throw new UsageError(
      "Which leases? Pass --lease-id, --caller, --issued-before or --client-id, or --all for everything in the scope.",
    );
  const timeOf = before === undefined ? undefined : issuedBefore(before);
  const callerIn = caller === undefined ? undefined : callerOf(caller);
  return (now, listed) => ({
    ...(leaseId === undefined ? {} : { lease_id: leaseId }),
    ...(callerIn === undefined ? {} : { caller: callerIn(listed) }),
    ...(timeOf === undefined ? {} : { issued_before: timeOf(now) }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
  });
}

/** Given alone, a client id is also denied to new logins. */
export const deniesClientId = (filter: Filter): boolean =>
  filter.client_id !== undefined && Object.keys(filter).length === 1;

/** In words, for the question before it is done. */
export function describeFilter(filter: Filter): string {
  const { lease_id, caller, issued_before, client_id } = filter;
  const parts = [
    lease_id && `lease ${lease_id}`,
    caller && `caller ${caller}`,
    issued_before && `issued before ${issued_before}`,
    client_id && `client id ${client_id}`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "everything";
}

/** By so much the clocks of the broker's instances may differ; it adds that to `issued_before` (docs/reference/openapi.yaml). */
export const clockSkewMs = 5_000;

/** A login under way has no lease id and no client id yet: it may come to match. */
export function matches(lease: ListedLease, { lease_id, caller, issued_before, client_id }: Filter): boolean {
  const minting = lease.state === "minting";
  return (
    (lease_id === undefined || lease.lease_id === lease_id) &&
    (caller === undefined || lease.caller === caller) &&
    (issued_before === undefined || Date.parse(lease.issued_at) < Date.parse(issued_before) + clockSkewMs) &&
    (client_id === undefined || minting || lease.client_id === client_id)
  );
}
