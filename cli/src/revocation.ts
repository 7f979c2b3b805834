/** A revocation by a filter, as commands and the console ask for it. */
import type { Broker } from "./broker.ts";
import type { Denial } from "./denial.ts";
import type { Ending } from "./end-leases.ts";
import { deniesClientId, type Filter } from "./filter.ts";

export interface Foreseen {
  readonly matched: number;
  readonly denial?: Denial;
}

/** The effect of a revocation, without one. */
export const foresee = (broker: Broker, scope: string, filter: Filter): Promise<Foreseen> =>
  broker.ask({
    method: "DELETE",
    path: `/scopes/${scope}/leases`,
    query: { ...filter, dry_run: "true" },
  });

/** The first request of a revocation, and the check after a lost answer. */
export function revocation(broker: Broker, filter: Filter): Pick<Ending, "filter" | "begin" | "settle"> {
  const request = (scope: string, signal: AbortSignal) =>
    ({ method: "DELETE", path: `/scopes/${scope}/leases`, query: { ...filter }, signal }) as const;
  return {
    filter,
    begin: (scope, signal) => broker.askOnce(request(scope, signal)),
    async settle(scope, _, signal) {
      // Whether a client id is denied is in no list. Once it is, no lease begins by it: asked twice, nothing more is ended.
      if (!deniesClientId(filter)) return {};
      const { denial }: { denial?: Denial } = await broker.ask(request(scope, signal));
      return denial ? { denial } : {};
    },
  };
}
