import { RegionInfo } from "aws-cdk-lib/region-info";
import { describe, expect, it } from "vitest";
import { type Identity, parsePrincipal } from "../../../../functions/domain/principal.ts";

const account = "111122223333";
const roleId = "AROAREPORTSERVICE000";
const userId = "AIDAALICE00000000000";

const role = (changes: Identity = {}): Identity => ({
  userArn: `arn:aws:sts::${account}:assumed-role/report-service/pod-1`,
  caller: `${roleId}:pod-1`,
  accountId: account,
  ...changes,
});
const user = (changes: Identity = {}): Identity => ({
  userArn: `arn:aws:iam::${account}:user/alice`,
  caller: userId,
  accountId: account,
  ...changes,
});

/** Those that the CDK knows. An update of the CDK brings new ones. */
const partitions = [...new Set(RegionInfo.regions.map(({ partition }) => partition))];

it("the CDK knows the partitions of the next tests", () => {
  expect(partitions).toEqual(
    expect.arrayContaining(["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-f"]),
  );
});

describe.each(partitions)("in the partition %s", (partition) => {
  it("a role's session is the role", () => {
    const userArn = `arn:${partition}:sts::${account}:assumed-role/report-service/pod-1`;
    expect(parsePrincipal(role({ userArn }))).toEqual({
      ok: true,
      principal: {
        partition,
        account,
        kind: "role",
        name: "report-service",
        uniqueId: roleId,
        callerArn: `arn:${partition}:iam::${account}:role/report-service`,
        sessionName: "pod-1",
      },
    });
  });

  it.each(["", "team/", "division/team/", "a!b/"])("a user under the path %j is the user", (path) => {
    expect(parsePrincipal(user({ userArn: `arn:${partition}:iam::${account}:user/${path}alice` }))).toEqual({
      ok: true,
      principal: {
        partition,
        account,
        kind: "user",
        name: "alice",
        uniqueId: userId,
        callerArn: `arn:${partition}:iam::${account}:user/alice`,
      },
    });
  });
});

it("a session name changes nothing but itself", () => {
  const of = (session: string) => {
    const parsed = parsePrincipal(
      role({
        userArn: `arn:aws:sts::${account}:assumed-role/report-service/${session}`,
        caller: `${roleId}:${session}`,
      }),
    );
    if (!parsed.ok) throw new Error(parsed.reason);
    return { ...parsed.principal, sessionName: "" };
  };
  expect(of("admin")).toEqual(of("pod-1"));
  expect(of("hr@example.com")).toEqual(of("pod-1"));
});

it("a re-created role is another caller with the same name", () => {
  const parsed = parsePrincipal(role({ caller: "AROAREPORTSERVICE999:pod-1" }));
  expect(parsed).toMatchObject({
    ok: true,
    principal: { uniqueId: "AROAREPORTSERVICE999", name: "report-service" },
  });
});

describe("refused as", () => {
  it.each<[string, string, Identity]>([
    ["not_a_role_or_user", "root", user({ userArn: `arn:aws:iam::${account}:root`, caller: account })],
    [
      "not_a_role_or_user",
      "a federated user",
      user({ userArn: `arn:aws:sts::${account}:federated-user/bob`, caller: `${account}:bob` }),
    ],
    [
      "not_a_role_or_user",
      "a role that was not assumed",
      role({ userArn: `arn:aws:iam::${account}:role/report` }),
    ],
    [
      "not_a_role_or_user",
      "an unknown partition",
      role({ userArn: `arn:aws-x:sts::${account}:assumed-role/r-s/pod-1` }),
    ],
    [
      "not_a_role_or_user",
      "a session without a name",
      role({ userArn: `arn:aws:sts::${account}:assumed-role/report-service/` }),
    ],
    [
      "not_a_role_or_user",
      "a role name with a path",
      role({ userArn: `arn:aws:sts::${account}:assumed-role/a/b/pod-1` }),
    ],
    [
      "not_a_role_or_user",
      "an ARN with a trailing newline",
      role({ userArn: `arn:aws:sts::${account}:assumed-role/report-service/pod-1\n` }),
    ],
    [
      "not_a_role_or_user",
      "a user ARN with a trailing newline",
      user({ userArn: `arn:aws:iam::${account}:user/alice\n` }),
    ],
    [
      "not_a_role_or_user",
      "a second ARN on a line of its own",
      user({ userArn: `x\narn:aws:iam::${account}:user/alice` }),
    ],
    ["not_a_role_or_user", "an empty ARN", user({ userArn: "" })],
    ["mixed_identity", "a role with a user's id", role({ caller: userId })],
    ["mixed_identity", "a user with a role's id", user({ caller: `${roleId}:alice` })],
    ["mixed_identity", "a role with the id of another kind", role({ caller: "ASIAREPORTSERVICE000:pod-1" })],
    ["mixed_identity", "a role in another account", role({ accountId: "444455556666" })],
    ["mixed_identity", "a user in another account", user({ accountId: "444455556666" })],
    ["mixed_identity", "a session that is not the caller's", role({ caller: `${roleId}:pod-2` })],
    ["mixed_identity", "a role's id without its session", role({ caller: roleId })],
    ["mixed_identity", "a role's id with two sessions", role({ caller: `${roleId}:x:pod-1` })],
    ["mixed_identity", "an id in lower case", role({ caller: `${roleId.toLowerCase()}:pod-1` })],
    ["mixed_identity", "a user's id in lower case", user({ caller: userId.toLowerCase() })],
    ["mixed_identity", "an id with a trailing newline", user({ caller: `${userId}\n` })],
    ["mixed_identity", "an id that is too short", user({ caller: "AIDA1" })],
    ["mixed_identity", "an empty id", user({ caller: "" })],
    ["mixed_identity", "an id with a # in it", user({ caller: `${userId}#x` })],
    ["no_iam_identity", "no ARN", role({ userArn: null })],
    ["no_iam_identity", "no id", role({ caller: undefined })],
    ["no_iam_identity", "no account", role({ accountId: null })],
    ["no_iam_identity", "an account that is a number", role({ accountId: Number(account) })],
    ["no_iam_identity", "a list of ARNs", role({ userArn: [role().userArn] })],
    ["no_iam_identity", "nothing at all", {}],
    ["cognito_identity", "a Cognito identity", role({ cognitoIdentityId: "eu-west-1:1" })],
    ["cognito_identity", "a Cognito pool", role({ cognitoIdentityPoolId: "eu-west-1:1" })],
    ["cognito_identity", "a Cognito type", role({ cognitoAuthenticationType: "authenticated" })],
    [
      "cognito_identity",
      "a Cognito provider",
      role({ cognitoAuthenticationProvider: "accounts.example.com" }),
    ],
    ["cognito_identity", "an empty Cognito identity", role({ cognitoIdentityId: "" })],
  ])("%s: %s", (reason, _, identity) => {
    expect(parsePrincipal(identity)).toEqual({ ok: false, reason });
  });
});
