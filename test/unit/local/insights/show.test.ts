import { expect, it } from "vitest";
import { ask } from "../../../../local/insights/ask.ts";
import { asTable } from "../../../../local/insights/show.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");
const event = (fields: object) =>
  JSON.stringify({ time: "2026-11-24T11:59:00.000Z", kind: "audit", ...fields });

it("prints a table without the columns that are empty, and says when there is nothing", () => {
  const query = "display time, scope, code";
  expect(asTable(ask(query, [event({ code: "ok" })], now))).toBe(
    "time                      code\n2026-11-24T11:59:00.000Z  ok\n",
  );
  expect(asTable(ask(query, [], now))).toBe("Nothing.\n");
});
