import { expect, test } from "vitest";
import { isCheck } from "../../../../probe/check.ts";
import { withoutPolicy } from "../../../../probe/checks/identity.ts";
import type { Answer } from "../../../../probe/request.ts";

const [check] = withoutPolicy({
  send: () => Promise.reject(new Error("not asked here")),
  region: "eu-west-1",
  caller: {
    arn: "arn:aws:iam::111122223333:role/report-service",
    account: "111122223333",
    unique_id: "AROAX",
  },
  scope: { scope: "sales", base_url: "https://example.cloud.looker.com", lease_seconds: 900, may: ["token"] },
  bystander: true,
  looker: false,
  logout: false,
});

const refusal = (errorType: string, user: string): Answer => ({
  status: 403,
  headers: { "x-amzn-errortype": errorType },
  json: {
    Message: `User: ${user} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********3333:a1b2c3d4e5/v1/GET/scopes`,
  },
});
const role = (account: string) => `arn:aws:sts::${account}:assumed-role/bystander/session`;

test.each<[string, Answer, string | undefined]>([
  ["a principal of the account", refusal("AccessDeniedException", role("111122223333")), undefined],
  ["one whose account is hidden in part", refusal("AccessDeniedException", role("********3333")), undefined],
  [
    "a principal of another account",
    refusal("AccessDeniedException", role("444455556666")),
    "the profile is not of the API's account, which proves nothing",
  ],
  [
    "credentials that are no longer valid",
    refusal("ExpiredTokenException", role("111122223333")),
    "its credentials are not valid, which proves nothing",
  ],
])("a refusal of %s", (_, answer, surprise) => {
  expect(check && isCheck(check) && check.expect.surprise(answer, answer)).toBe(surprise);
});
