/** The command line of `npm run ask`. Pure. */
import { type SavedQuery, savedQueries } from "../infra/saved-queries.ts";
import { type Parsed, read, UsageError } from "./command-line.ts";
import { filled, flagOf } from "./insights/fill.ts";

export interface Asked {
  readonly question: SavedQuery;
  /** Its query, with the values in place. */
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

const common = { json: { type: "boolean" }, "print-query": { type: "boolean" } } as const;

export function parseAsk([name = "--help", ...args]: readonly string[]): Parsed<Asked> {
  if (name === "--help") return { kind: "help", text: help };
  const question = savedQueries.find((each) => each.name === name);
  if (!question)
    return { kind: "wrong", message: `There is no such question; \`npm run ask -- --help\` lists them.` };
  const own = question.placeholders.map((each) => [flagOf(each.name), { type: "string" }] as const);
  return read(args, {
    name: "npm run ask --",
    help,
    options: { ...Object.fromEntries(own), ...common },
    flagsOf: ({ json, "print-query": printQuery, ...values }): Asked => {
      if (json && printQuery) throw new UsageError("--json and --print-query: leave one of them out.");
      return {
        question,
        query: filled(question, values as Record<string, string>),
        show: printQuery ? "query" : json ? "json" : "table",
      };
    },
  });
}
