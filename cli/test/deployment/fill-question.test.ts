import { expect, test } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { filledQuery, flagOf } from "../../src/deployment/fill-question.ts";

const values: Readonly<Record<string, string>> = {
  token_sha256: "a".repeat(64),
  lease_id: "8ae67a142e19b6ce3e1e",
  caller: "arn:aws:iam::111122223333:role/report-service",
  request_id: "bd871f63-854d-4d8e-af7a-41e4acebe4d2",
  client_id: "60feedcafd9abdf2eef2",
};

test.each(savedQueries)("$name is filled with a value for each of its placeholders", (saved) => {
  const given = saved.placeholders.map(({ name }) => [flagOf(name), values[name] ?? ""]);
  const query = filledQuery({ ...saved, logGroups: [] }, Object.fromEntries(given));
  expect(query).not.toContain("{{");
  for (const [, value] of given) expect(query).toContain(`"${value}"`);
});

const whose = { ...savedQueries[0], logGroups: [] } as Parameters<typeof filledQuery>[0];

test.each([
  [{}, /^who-got-this-token needs --token-sha256 \(SHA-256 of the token/],
  [{ "lease-id": "8ae67a142e19b6ce3e1e" }, /^who-got-this-token takes no --lease-id\.$/],
  [{ "token-sha256": "A".repeat(64) }, /^That is no --token-sha256 \(SHA-256/],
])("%j is refused in one line", (given, message) => {
  expect(() => filledQuery(whose, given)).toThrow(message);
});

test("a role's name in the place of its ARN is refused, because its answer would be empty and look like a good one", () => {
  const question = { ...savedQueries.find(({ name }) => name === "what-did-this-caller-do"), logGroups: [] };
  expect(() => filledQuery(question as typeof whose, { caller: "report-service" })).toThrow(
    "no --caller (ARN",
  );
});
