/** The fields of the records, from docs/reference/audit-record.schema.json: for the queries that name them, and the page that explains them. */
import { readFileSync } from "node:fs";

interface Property {
  readonly description?: string;
  readonly const?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Property>>;
}

interface Field {
  /** As Logs Insights names it: `caller.arn`. */
  readonly name: string;
  readonly description: string;
}

const schema = JSON.parse(
  readFileSync(new URL("../../../docs/reference/audit-record.schema.json", import.meta.url), "utf8"),
);

type Kind = "audit" | "mint" | "lease_end" | "account_check" | "rotation";

/** Those that hold a value: an object is told by what is in it. */
export function fieldsOf(kind: Kind): Field[] {
  return fieldsBelow(schema.$defs[kind].properties, "");
}

function fieldsBelow(properties: Readonly<Record<string, Property>>, path: string): Field[] {
  return Object.entries(properties)
    .filter(([key]) => key !== "_aws")
    .flatMap(([key, { properties: inner, description, const: only }]) =>
      inner
        ? fieldsBelow(inner, `${path}${key}.`)
        : [{ name: path + key, description: description ?? `\`${only}\`.` }],
    );
}

/** As docs/reference/audit.md has it: a row for each field that is no metric. */
export function fieldsTable(kind: Kind): string {
  const rows = fieldsOf(kind)
    .filter(({ description }) => !description.startsWith("Metric:"))
    .map(({ name, description }) => `| \`${name}\` | ${description.replaceAll("|", "\\|")} |`);
  return ["| field | what it says |", "| --- | --- |", ...rows].join("\n");
}
