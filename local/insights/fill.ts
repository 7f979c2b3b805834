/** Puts values in the place of a question's placeholders, as CloudWatch does when a saved query is run. */
import type { SavedQuery } from "../../infra/saved-queries.ts";
import { UsageError } from "../command-line.ts";

/** As on the command line: `--token-sha256`. */
export const flagOf = (placeholder: string) => placeholder.replaceAll("_", "-");

/** @throws UsageError with the flag that is missing, or that does not look as it should. */
export function filled(
  { name, query, placeholders }: SavedQuery,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return placeholders.reduce((text, placeholder) => {
    const flag = flagOf(placeholder.name);
    const value = values[flag];
    const wanted = `--${flag} (${placeholder.description})`;
    if (value === undefined) throw new UsageError(`${name} needs ${wanted}.`);
    // The value is not repeated: it may be a token that somebody pasted in its place.
    if (!placeholder.pattern.test(value)) throw new UsageError(`That is no ${wanted}.`);
    return text.replaceAll(`{{${placeholder.name}}}`, value);
  }, query);
}
