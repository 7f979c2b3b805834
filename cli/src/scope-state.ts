/** Lines above a table: frozen scopes, and findings about service accounts. */
import { findingCount } from "./account.ts";
import type { Paint } from "./colour.ts";
import { field } from "./field.ts";
import type { Listing } from "./listing.ts";

export type ScopeState = Pick<Listing, "scope" | "frozen" | "account">;

/** Empty if no scope is frozen and no account has findings. */
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
