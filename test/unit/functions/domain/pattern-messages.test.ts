import { describe, expect, it } from "vitest";
import { parsePattern } from "../../../../functions/domain/pattern.ts";

const account = "111122223333";
const of = (kind: string, name: string) => `arn:aws:iam::${account}:${kind}/${name}`;
const quoted = (text: string) => JSON.stringify(text);
const example = '"arn:aws:iam::111122223333:role/report-*"';

describe("a refused pattern comes with advice", () => {
  it.each<[unknown, string]>([
    [1, `must be text like ${example}`],
    ["*", `"*" is not the ARN of an IAM role or user, like ${example}`],
    ...["/i-0a1b2c3d", "/a/b", "/", ""].map((session): [string, string] => {
      const text = `arn:aws-cn:sts::${account}:assumed-role/report-service${session}`;
      return [
        text,
        `"${text}" is a session; write its role's ARN, "arn:aws-cn:iam::${account}:role/report-service"`,
      ];
    }),
    [
      `arn:aws:sts::${account}:federated-user/alice`,
      `"arn:aws:sts::${account}:federated-user/alice" is not the ARN of an IAM role or user, like ${example}`,
    ],
    [
      "arn:aws:iam::*:role/report",
      '"arn:aws:iam::*:role/report" must name one account by its 12 digits; accounts take no wildcard',
    ],
    [
      of("role", "team/a/report"),
      `${quoted(of("role", "team/a/report"))} must leave the path out (write role/report): an assumed role's ARN does not carry it`,
    ],
    [of("user", "a b"), `${quoted(of("user", "a b"))} has a name that no IAM user can have`],
    [of("role", "*"), `${quoted(of("role", "*"))} would match every role of the account; name a part of it`],
  ])("%j", (text, error) => {
    expect(parsePattern(text)).toEqual({ ok: false, error });
  });
});

it("a pattern is read into its parts", () => {
  const text = "arn:aws-us-gov:iam::111122223333:user/al?ce";
  expect(parsePattern(text)).toEqual({
    ok: true,
    pattern: { text, partition: "aws-us-gov", account, kind: "user", name: "al?ce" },
  });
});

it.each([
  [`x${of("role", "report")}`, false],
  [of("role", "a".repeat(64)), true],
  [of("role", "+=,.@-_"), true],
  [of("role", "a*?"), true],
  [of("role", "*-prod"), true],
  [of("role", "?x"), true],
  [of("role", " report"), false],
  [of("role", "report "), false],
  [`arn:aws:iam::1${account}:role/report`, false],
  [`arn:aws:iam::${account}1:role/report`, false],
  [`arn:aws:iam::a11122223333:role/report`, false],
])("%j is a pattern: %s", (text, ok) => {
  expect(parsePattern(text).ok).toBe(ok);
});
