/** What an operator must know of a scope before anything else: it is frozen, or its service account has findings. */
import { findingCount } from "./account.ts";
import type { Paint } from "./colour.ts";
import { field } from "./field.ts";
import type { Listing } from "./listing.ts";

export type ScopeState = Pick<Listing, "scope" | "frozen" | "account">;

/** Lines for those scopes that have something to say. */
export function stateLines(states: readonly ScopeState[], paint: Paint): string {
  const yellow = (text: string) => paint("yellow", text);
  return [
    ...states.flatMap(({ scope, frozen }) =>
      frozen ? field("frozen", `${scope}, by ${frozen.by} at ${frozen.at}: ${frozen.reason}`, yellow) : [],
    ),
    ...states.flatMap(({ scope, account }) => {
      const found = account?.findings ?? [];
      if (found.length === 0) return [];
      return [
        ...field("account", `${scope}: ${findingCount(found.length)} (${found.join(", ")})`, yellow),
        // A line of its own, so that it can be copied.
        ...field("", `looker-token account --scope ${scope}`),
      ];
    }),
  ].join("");
}
