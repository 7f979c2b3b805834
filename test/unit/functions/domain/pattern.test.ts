import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob, matchesPattern, parsePattern } from "../../../../functions/domain/pattern.ts";
import type { Principal } from "../../../../functions/domain/principal.ts";

const account = "111122223333";
const principal = (changes: Partial<Principal> = {}): Principal => ({
  partition: "aws",
  account,
  kind: "role",
  name: "report-service",
  uniqueId: "AROAREPORTSERVICE000",
  callerArn: `arn:aws:iam::${account}:role/report-service`,
  ...changes,
});

/** What a glob means, said as plainly as can be; exponential, so for short texts only. */
function reference(glob: string, text: string): boolean {
  if (glob === "") return text === "";
  const rest = glob.slice(1);
  if (glob[0] === "*") return reference(rest, text) || (text !== "" && reference(glob, text.slice(1)));
  return text !== "" && (glob[0] === "?" || glob[0] === text[0]) && reference(rest, text.slice(1));
}

describe("a glob", () => {
  it("means what the plain reference says, whatever glob and text", () => {
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 9 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "A", "\n"), maxLength: 9 });
    fc.assert(
      fc.property(glob, text, (g, t) => matchesGlob(g, t) === reference(g, t)),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["report-*", "report-", true],
    ["report-*", "report-service", true],
    ["report-*", "xreport-service", false],
    ["report", "report-service", false],
    ["report", "areport", false],
    ["report", "report\n", false],
    ["report-?", "report-1\n", false],
    ["report", "Report", false],
    ["a.c", "abc", false],
    ["report-?", "report-", false],
    ["report-?", "report-12", false],
    ["*-prod", "report-prod-x", false],
    ["*-prod", "a-prod-prod", true],
    ["r*t-*e", "report-service", true],
    ["", "", true],
    ["", "a", false],
    ["é", "e", false],
    ["report", "repоrt", false],
  ])("%j on %j: %s", (glob, text, expected) => {
    expect(matchesGlob(glob, text)).toBe(expected);
  });

  it.each([
    ["*a".repeat(30), "a".repeat(60_000)],
    [`${"*a".repeat(30)}*b`, "a".repeat(2_000)],
    [`${"a*".repeat(32)}`, `${"a".repeat(2_000)}b`],
  ])("of many stars looks at each character a bounded number of times (%#)", (glob, text) => {
    const looks = countLooks(glob, text);
    expect(looks).toBeLessThanOrEqual((glob.length + 2) * (text.length + glob.length));
  });
});

/** How often the text's characters are read: work counted, not time measured. */
function countLooks(glob: string, text: string): number {
  let looks = 0;
  const counted = new Proxy(Object(text) as object, {
    get(target, property) {
      if (typeof property === "string" && /^\d+$/.test(property)) looks++;
      const value = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  matchesGlob(glob, counted as unknown as string);
  expect(looks).toBeGreaterThan(0);
  return looks;
}

describe("a pattern", () => {
  it.each([
    `arn:aws:iam::${account}:role/report-*`,
    `arn:aws-cn:iam::${account}:role/a`,
    `arn:aws-us-gov:iam::${account}:user/alice`,
    `arn:aws-eusc:iam::${account}:role/a`,
    `arn:aws-iso:iam::${account}:role/a`,
    `arn:aws-iso-b:iam::${account}:role/a`,
    `arn:aws-iso-e:iam::${account}:role/a`,
    `arn:aws-iso-f:iam::${account}:role/a`,
    `arn:aws:iam::${account}:role/AWSReservedSSO_ReadOnly_*`,
    `arn:aws:iam::${account}:user/alice@example.com`,
  ])("is %s", (text) => {
    expect(parsePattern(text)).toMatchObject({ ok: true });
  });

  it.each<[string, unknown]>([
    ["a bare star", "*"],
    ["every role", `arn:aws:iam::${account}:role/*`],
    ["every role, in two stars", `arn:aws:iam::${account}:role/**`],
    ["every role, by a question mark and a star", `arn:aws:iam::${account}:role/?*`],
    ["every role, by a star and question marks", `arn:aws:iam::${account}:role/*??`],
    ["any account", "arn:aws:iam::*:role/report"],
    ["a part of an account", "arn:aws:iam::1111222233*:role/report"],
    ["no account", "arn:aws:iam:::role/report"],
    ["an account with a newline", `arn:aws:iam::${account}\n:role/report`],
    ["any partition", `arn:*:iam::${account}:role/report`],
    ["any kind", `arn:aws:iam::${account}:*/report`],
    ["root", `arn:aws:iam::${account}:root`],
    ["an assumed role", `arn:aws:sts::${account}:assumed-role/report/session`],
    ["a group", `arn:aws:iam::${account}:group/report`],
    ["a path", `arn:aws:iam::${account}:role/team/report`],
    ["a path of a star", `arn:aws:iam::${account}:role/*/report`],
    ["an empty name", `arn:aws:iam::${account}:role/`],
    ["a name with a newline", `arn:aws:iam::${account}:role/report\n`],
    ["a name with a space", `arn:aws:iam::${account}:role/report service`],
    ["a name that is too long", `arn:aws:iam::${account}:role/${"a".repeat(65)}`],
    ["a name that is not ASCII", `arn:aws:iam::${account}:role/repört`],
    ["a regular expression", `arn:aws:iam::${account}:role/(a|b)`],
    ["a leading space", ` arn:aws:iam::${account}:role/report`],
    ["a number", 1],
    ["null", null],
    ["an object that reads as text", { toString: () => `arn:aws:iam::${account}:role/report` }],
  ])("is not %s", (_, text) => {
    expect(parsePattern(text)).toMatchObject({ ok: false });
  });

  it.each<[string, boolean, Partial<Principal>]>([
    ["the role it names", true, {}],
    ["the same name in another account", false, { account: "444455556666" }],
    ["the same name in another partition", false, { partition: "aws-cn" }],
    ["a user of the same name", false, { kind: "user" }],
    ["a name in another case", false, { name: "Report-service" }],
    ["a longer name", false, { name: "my-report-service" }],
  ])("matches %s: %s", (_, expected, changes) => {
    const parsed = parsePattern(`arn:aws:iam::${account}:role/report-*`);
    expect(parsed.ok && matchesPattern(parsed.pattern, principal(changes))).toBe(expected);
  });
});
