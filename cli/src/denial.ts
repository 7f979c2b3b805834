/** What it means that a client id is denied: `denial` of the broker's answer, in words. */
import type { Filter } from "./filter.ts";
import { deniesClientId } from "./filter.ts";
import { wrapped } from "./wrapped.ts";

export interface Denial {
  /** All scopes of the secret, those of other operators too. */
  readonly scopes: readonly string[];
  /** It is the credential that the broker logs in with. */
  readonly in_use: boolean;
}

const columns = 80;

/** Before it is done. `asked`: the scopes whose leases are to be ended. Empty if the filter denies nothing. */
export function denialQuestion(
  filter: Filter,
  denials: readonly (Denial | undefined)[],
  asked: readonly string[],
): string[] {
  if (!deniesClientId(filter)) return [];
  const known = oneForEachSecret(denials);
  // A broker of before does not say more.
  if (known.length === 0) return ["No new login will be made with this client id."];
  const others = known.flatMap(({ scopes }) => scopes.filter((scope) => !asked.includes(scope)));
  return [
    "No new login will be made with this client id:",
    ...known.flatMap(({ scopes, in_use }) =>
      lines(
        `${scopes.join(", ")}: ${in_use ? "it is the credential in use. Callers get no new lease until the secret holds another pair." : "it is not the credential in use."}`,
      ),
    ),
    ...(others.length > 0
      ? lines(
          `${others.join(", ")}: shares a secret with the scopes above. Leases there are not ended by this.`,
        )
      : []),
    "The way back is looker-token allow-client.",
  ];
}

/** After it was done. */
export const deniedText = (denials: readonly (Denial | undefined)[]): string =>
  oneForEachSecret(denials)
    .map(
      ({ scopes, in_use }) =>
        `denied   ${scopes.join(", ")}: no login is made with the client id any more${in_use ? "; it was the one in use: callers get new leases once the secret holds another pair" : ""}\n`,
    )
    .join("");

/** Scopes with one secret say the same. */
const oneForEachSecret = (denials: readonly (Denial | undefined)[]): Denial[] => [
  ...new Map(denials.flatMap((each) => (each ? [[each.scopes.join(" "), each]] : []))).values(),
];

const lines = (text: string): string[] => wrapped(text, columns - 2).map((line) => `  ${line}`);
