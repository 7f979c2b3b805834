import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { namedFields } from "../../../local/insights/named-fields.ts";
import { groupsOf, parseQuery } from "../../../local/insights/parse.ts";
import { fieldsOf, fieldsTable } from "../../support/audit/fields.ts";

const page = readFileSync(new URL("../../../docs/reference/audit.md", import.meta.url), "utf8");
const recorded = ["audit", "mint", "lease_end", "rotation"].flatMap((kind) =>
  fieldsOf(kind as "audit").map(({ name }) => name),
);
/** What CloudWatch adds to each event. */
const system = ["@timestamp", "@message", "@log"];
const ofAccessLog = ["time", "request_id", "status", "user_arn", "source_ip", "error"];

it("each question has a name of its own", () => {
  expect(new Set(savedQueries.map(({ name }) => name)).size).toBe(savedQueries.length);
});

describe.each(savedQueries)("$name", ({ name, asks, answer, query, placeholders, reads }) => {
  const known = reads === "access log" ? ofAccessLog : recorded;

  it("is a query of which every part is understood, and shorter than a saved query may be", () => {
    expect(parseQuery(query).at(0)?.kind).toBe("filter");
    expect(query.length).toBeLessThan(10_000);
  });

  it("names no field but those that the schema of the records has", () => {
    const unknown = namedFields(parseQuery(query)).filter((field) => ![...known, ...system].includes(field));
    expect(unknown).toEqual([]);
  });

  it("takes out of a record's text only lists that the schema has", () => {
    for (const command of parseQuery(query)) {
      if (command.kind !== "parse") continue;
      expect(command.field).toBe("@message");
      expect(groupsOf(command.pattern)).toHaveLength(1);
      const [, list] = /^"(\w+)":/.exec(command.pattern.source) ?? [];
      expect(recorded).toContain(list);
    }
  });

  it("gives a result no name that a field has, but those of the groups", () => {
    for (const command of parseQuery(query))
      if (command.kind === "stats")
        expect(command.aggregates.map(({ as }) => as).filter((as) => recorded.includes(as))).toEqual([]);
  });

  it("has the placeholders that it lists, each within quotes", () => {
    const used = [...query.matchAll(/"\{\{(\w+)\}\}"/g)].map(([, used]) => used);
    expect(query.match(/\{\{/g)?.length ?? 0).toBe(used.length);
    expect(used).toEqual(placeholders.map((each) => each.name));
    for (const { name, description } of placeholders) {
      expect(name).toMatch(/^[a-z_]{1,128}$/);
      expect(description.length).toBeLessThanOrEqual(512);
    }
  });

  it("stands in docs/reference/audit.md word for word, with what it asks and how its answer is read", () => {
    expect(page).toContain(`### ${name}\n\n${asks}\n\n\`\`\`text\n${query}\n\`\`\`\n\n${answer}\n`);
  });
});

describe("docs/reference/audit.md", () => {
  it.each(["audit", "mint", "lease_end", "account_check", "rotation"] as const)(
    "has the fields of a record of kind %s as the schema has them",
    (kind) => {
      expect(page).toContain(`\n${fieldsTable(kind)}\n`);
    },
  );

  it("shows records that are such, but for what is left out", () => {
    const shown = [...page.matchAll(/```json\n([^`]+)```/g)].map(([, text]) => JSON.parse(text ?? ""));
    expect(shown.map(({ kind }) => kind)).toEqual([
      "audit",
      "mint",
      "lease_end",
      "account_check",
      "rotation",
    ]);
    for (const record of shown) {
      const names = fieldsOf(record.kind).map(({ name }) => name);
      for (const key of Object.keys(record))
        expect(names.some((name) => name === key || name.startsWith(`${key}.`))).toBe(true);
    }
  });
});
