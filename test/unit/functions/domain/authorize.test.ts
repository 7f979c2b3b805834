import { describe, expect, it } from "vitest";
import { authorize, permissions } from "../../../../functions/domain/authorize.ts";
import type { Principal } from "../../../../functions/domain/principal.ts";
import { parseScopes } from "../../../../functions/domain/scope.ts";

const account = "111122223333";
const arn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const principal = (name: string): Principal => ({
  ...{ partition: "aws", account, kind: "role", name },
  uniqueId: "AROAREPORTSERVICE000",
  callerArn: arn(name),
});
const scope = (name: string, callers: string[], operators: string[]) => ({
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: `looker/${name}` },
  callers: callers.map(arn),
  operators: operators.map(arn),
});
const scopes = parseScopes({
  sales: scope("sales", ["report-*", "nightly"], ["oncall"]),
  people: scope("people", ["hr", "oncall"], ["oncall", "lead"]),
});

describe("a scope's lists", () => {
  it.each([
    ["a caller, by any of its patterns", "sales", "nightly", "callers"],
    ["a caller, by a wildcard", "sales", "report-a", "callers"],
    ["an operator", "sales", "oncall", "operators"],
  ] as const)("admit %s", (_, name, who, lock) => {
    expect(authorize(scopes, name, principal(who), lock)).toEqual({ ok: true, scope: scopes.get(name) });
  });

  it.each([
    ["a caller, to operate", "sales", "report-a", "operators", ["oncall"]],
    ["an operator, to fetch a token", "sales", "oncall", "callers", ["report-*", "nightly"]],
    ["another scope's caller", "people", "report-a", "callers", ["hr", "oncall"]],
  ] as const)("refuse %s, and name the patterns", (_, name, who, lock, patterns) => {
    expect(authorize(scopes, name, principal(who), lock)).toEqual({
      ...{ ok: false, reason: `not_in_${lock}` },
      patterns: patterns.map(arn),
    });
  });

  it.each([undefined, "other", "constructor", ""])("admit nobody to a scope called %j", (name) => {
    expect(authorize(scopes, name, principal("oncall"), "operators")).toEqual({
      ...{ ok: false, reason: "unknown_scope" },
    });
  });
});

it.each([
  [
    "oncall",
    [
      ["sales", ["operate"]],
      ["people", ["token", "operate"]],
    ],
  ],
  ["report-a", [["sales", ["token"]]]],
  ["lead", [["people", ["operate"]]]],
  ["stranger", []],
] as const)("the permissions of %s follow the lists, and leave out scopes without any", (who, expected) => {
  const found = permissions(scopes, principal(who)).map(({ scope: { name }, may }) => [name, may]);
  expect(found).toEqual(expected);
});
