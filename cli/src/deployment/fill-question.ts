/** A question's query with values in the place of its placeholders. Pure. */
import { UsageError } from "../usage-error.ts";
import type { Placeholder, Question } from "./questions.ts";

/** As on the command line: `--token-sha256`. */
export const flagOf = (placeholder: string): string => placeholder.replaceAll("_", "-");

/**
 * No character here ends a string of a query, escapes one, or begins another placeholder. In a role's name and in an ARN there are
 * no others.
 */
const safe = /^[\w.:@=+,/-]{1,256}$/;

/** Where the form is known it is checked: a question about another value has no answer, and that would look like a good one. */
const forms: Readonly<Record<string, RegExp>> = {
  token_sha256: /^[0-9a-f]{64}$/,
  lease_id: /^[\w-]{8,20}$/,
  caller: /^arn:aws[\w-]*:iam::\d{12}:(?:role|user)\/[\w+=,.@-]{1,64}$/,
  client_id: /^[\w.-]{1,256}$/,
};

export function filledQuery(
  { name, query, placeholders }: Question,
  values: Readonly<Record<string, string>>,
): string {
  const flags = placeholders.map((each) => flagOf(each.name));
  const unknown = Object.keys(values).find((flag) => !flags.includes(flag));
  if (unknown !== undefined)
    throw new UsageError(`${name} takes no --${unknown}.`, {
      hint:
        flags.length === 0
          ? "It takes no value."
          : `It takes ${flags.map((flag) => `--${flag}`).join(", ")}.`,
    });
  return placeholders.reduce(
    (text, each) =>
      text.replaceAll(`{{${each.name}}}`, () => valueFor(name, each, values[flagOf(each.name)])),
    query,
  );
}

function valueFor(question: string, { name, description }: Placeholder, value: string | undefined): string {
  const wanted = `--${flagOf(name)} (${description})`;
  if (value === undefined) throw new UsageError(`${question} needs ${wanted}.`);
  // The value is not repeated: it may be a token that somebody pasted by mistake.
  if (!safe.test(value) || !(forms[name] ?? safe).test(value)) throw new UsageError(`That is no ${wanted}.`);
  return value;
}
