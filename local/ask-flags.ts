/** The command line of `npm run ask`. Pure. */
import { type SavedQuery, savedQueries } from "../infra/saved-queries.ts";
import { type Parsed, parseCommandLine, UsageError } from "./command-line.ts";

export interface AskFlags {
  /** The saved query, with the values in place. */
  readonly query: string;
  readonly show: "table" | "json" | "query";
}

const help = `Asks the local run's records what docs/reference/audit.md asks those of a deployment, with the same query.

  npm run ask -- QUESTION [flags]

${savedQueries.map(({ name, asks, placeholders }) => `  ${[name, ...placeholders.map((each) => `--${flagOf(each.name)} …`)].join(" ")}\n      ${asks}\n`).join("")}
  --json         rows as JSON, empty columns too
  --print-query  prints the query with the values in place, for \`aws logs start-query\`, and runs nothing
  --help
`;

const commonOptions = { json: { type: "boolean" }, "print-query": { type: "boolean" } } as const;

export function parseAskFlags([name = "--help", ...args]: readonly string[]): Parsed<AskFlags> {
  if (name === "--help") return { kind: "help", text: help };
  const savedQuery = savedQueries.find((each) => each.name === name);
  if (!savedQuery)
    return { kind: "wrong", message: `There is no such question; \`npm run ask -- --help\` lists them.` };
  const ownOptions = savedQuery.placeholders.map((each) => [flagOf(each.name), { type: "string" }] as const);
  return parseCommandLine(args, {
    name: "npm run ask --",
    help,
    options: { ...Object.fromEntries(ownOptions), ...commonOptions },
    flagsOf: ({ json, "print-query": printQuery, ...values }): AskFlags => {
      if (json && printQuery) throw new UsageError("--json and --print-query: leave one of them out.");
      return {
        query: filledQuery(savedQuery, values as Record<string, string>),
        show: printQuery ? "query" : json ? "json" : "table",
      };
    },
  });
}

/** As on the command line: `--token-sha256`. */
export function flagOf(placeholder: string): string {
  return placeholder.replaceAll("_", "-");
}

/** The query with values for its placeholders, as CloudWatch fills them when a saved query is run. */
export function filledQuery(
  { name, query, placeholders }: SavedQuery,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return placeholders.reduce((text, placeholder) => {
    const flag = flagOf(placeholder.name);
    const value = values[flag];
    const wanted = `--${flag} (${placeholder.description})`;
    if (value === undefined) throw new UsageError(`${name} needs ${wanted}.`);
    // The value is not repeated: it may be a token that somebody pasted by mistake.
    if (!placeholder.pattern.test(value)) throw new UsageError(`That is no ${wanted}.`);
    return text.replaceAll(`{{${placeholder.name}}}`, value);
  }, query);
}
