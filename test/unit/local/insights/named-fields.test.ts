import { expect, it } from "vitest";
import { namedFields } from "../../../../local/insights/named-fields.ts";
import { parseQuery } from "../../../../local/insights/parse.ts";

it("a field after stats that stats has not left is an error", () => {
  const query = parseQuery("stats count(*) as all by code | sort scope asc");
  expect(() => namedFields(query)).toThrow(/sort names scope/);
});
