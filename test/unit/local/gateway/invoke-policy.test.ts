import { describe, expect, test } from "vitest";
import { decideInvoke, matchesArn, methodArn } from "../../../../local/gateway/invoke-policy.ts";

const apiStage = {
  partition: "aws",
  region: "eu-west-1",
  accountId: "111122223333",
  apiId: "api",
  stage: "v1",
};
const arn = methodArn(apiStage, "POST", "/scopes/sales/token");
const prefix = "arn:aws:execute-api:eu-west-1:111122223333:api/v1";

test("a method's ARN ends in the path as sent", () => {
  expect(arn).toBe(`${prefix}/POST/scopes/sales/token`);
  expect(methodArn(apiStage, "GET", "/scopes/a%2Fb:c/token")).toBe(`${prefix}/GET/scopes/a%2Fb:c/token`);
});

describe("a resource pattern", () => {
  test.each([
    ["the ARN itself", arn, true],
    ["a bare star", "*", true],
    ["a star over slashes", `${prefix}/*`, true],
    ["stars within", `${prefix}/*/scopes/*/token`, true],
    ["question marks", `${prefix}/P?ST/scopes/?ales/token`, true],
    ["any account", arn.replace("111122223333", "*"), true],
    ["another scope", arn.replace("sales", "board"), false],
    ["another case", arn.replace("sales", "Sales"), false],
    ["a prefix only", arn.slice(0, -1), false],
    ["a dot is no wildcard", arn.replace("sales", "s.les"), false],
    ["a star does not cross colons", "arn:aws:execute-api:*/POST/scopes/sales/token", false],
    ["another service", arn.replace("execute-api", "lambda"), false],
    ["nothing", "", false],
  ])("%s", (_, pattern, matches) => {
    expect(matchesArn(pattern, arn)).toBe(matches);
  });
});

test("nothing is allowed by default, and a deny goes before an allow", () => {
  expect(decideInvoke({ allow: [] }, arn)).toBe("implicit_deny");
  expect(decideInvoke({ allow: [arn] }, arn)).toBe("allowed");
  expect(decideInvoke({ allow: ["*"], deny: [`${prefix}/*/scopes/sales/*`] }, arn)).toBe("explicit_deny");
});
