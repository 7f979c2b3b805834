import { describe, expect, it } from "vitest";
import { isCallerArn, parsePrincipal } from "../../../../functions/domain/principal.ts";

const account = "111122223333";
const accountId = account;
const role = (name: string, session: string, id = "AROAREPORTSERVICE000") => ({
  userArn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
  caller: `${id}:${session}`,
  accountId,
});
const user = (name: string, caller = "AIDAALICE00000000000") => ({
  userArn: `arn:aws:iam::${account}:user/${name}`,
  caller,
  accountId,
});

describe("a role's session is read", () => {
  it.each([
    ["r", "s1", true],
    ["r".repeat(64), "s".repeat(64), true],
    ["a+=,.@-_", "a+=,.@-_", true],
    ["r".repeat(65), "s1", false],
    ["r", "s", false],
    ["r", "s".repeat(65), false],
    ["r r", "s1", false],
    ["r", "s 1", false],
    ["r*", "s1", false],
    ["r?", "s1", false],
  ])("of the role %j and the session %j: %s", (name, session, ok) => {
    expect(parsePrincipal(role(name, session)).ok).toBe(ok);
  });

  it.each([
    [`AROA${"A".repeat(12)}`, true],
    [`AROA${"9".repeat(124)}`, true],
    [`AROA${"A".repeat(11)}`, false],
    [`AROA${"A".repeat(125)}`, false],
    [`xAROA${"A".repeat(12)}`, false],
    [`AROA${"A".repeat(12)}-`, false],
  ])("of the id %s: %s", (id, ok) => {
    expect(parsePrincipal(role("report", "pod-1", id)).ok).toBe(ok);
  });

  it("only from a whole id", () => {
    const identity = role("report", "pod-1");
    expect(parsePrincipal({ ...identity, caller: `${identity.caller} x` }).ok).toBe(false);
  });

  it("only from a whole ARN", () => {
    const identity = role("report", "pod-1");
    expect(parsePrincipal({ ...identity, userArn: `x${identity.userArn}` }).ok).toBe(false);
    const short = identity.userArn.replace(account, "11112222333");
    expect(parsePrincipal({ ...identity, userArn: short, accountId: "11112222333" }).ok).toBe(false);
  });
});

describe("a user is read", () => {
  it.each([
    ["a", true],
    ["a".repeat(64), true],
    ["a+=,.@-_", true],
    [`${"p".repeat(512)}/a`, true],
    ["a".repeat(65), false],
    [`${"p".repeat(513)}/a`, false],
    ["/a", false],
    ["p//a", false],
    ["p p/a", false],
    ["pé/a", false],
    ["a b", false],
    ["a*", false],
    ["p/", false],
  ])("%j: %s", (name, ok) => {
    expect(parsePrincipal(user(name)).ok).toBe(ok);
  });

  it.each([
    [`AIDA${"A".repeat(12)}`, true],
    [`AIDA${"9".repeat(124)}`, true],
    [`AIDA${"A".repeat(11)}`, false],
    [`AIDA${"A".repeat(125)}`, false],
    [`xAIDA${"A".repeat(12)}`, false],
  ])("of the id %s: %s", (caller, ok) => {
    expect(parsePrincipal(user("alice", caller)).ok).toBe(ok);
  });
});

it.each([
  [`arn:aws:iam::${account}:role/report-service`, true],
  [`arn:aws-cn:iam::${account}:user/alice`, true],
  [`arn:aws-us-gov:iam::${account}:role/${"a".repeat(64)}`, true],
  [`arn:aws-eusc:iam::${account}:role/a`, true],
  [`arn:aws-iso-f:iam::${account}:role/a`, true],
  [`arn:aws-isob:iam::${account}:role/a`, false],
  [`arn:aws-iso-x:iam::${account}:role/a`, false],
  [`arn:aws:iam::${account}:role/a+=,.@-_`, true],
  [`arn:aws:iam::${account}:role/${"a".repeat(65)}`, false],
  [`arn:aws:iam::${account}:role/`, false],
  [`arn:aws:iam::${account}:group/a`, false],
  [`arn:aws-x:iam::${account}:role/a`, false],
  [`arn:aws:iam::11112222333:role/a`, false],
  [`arn:aws:iam::a11122223333:role/a`, false],
  [`arn:aws:iam::${account}:role/report-*`, false],
  [`arn:aws:iam::${account}:role/team/a`, false],
  [`xarn:aws:iam::${account}:role/a`, false],
  [`arn:aws:iam::${account}:role/a\n`, false],
])("%j names a caller: %s", (text, expected) => {
  expect(isCallerArn(text)).toBe(expected);
});

it("empty Cognito fields are ignored", () => {
  const empty = {
    cognitoIdentityId: null,
    cognitoIdentityPoolId: null,
    cognitoAuthenticationType: null,
    cognitoAuthenticationProvider: null,
  };
  expect(parsePrincipal({ ...role("report", "pod-1"), ...empty }).ok).toBe(true);
});
