/** examples/iam: both forms of a caller's role beside what the stack hands out, in the broker's account and in another. */
import { readFileSync } from "node:fs";
import { App, Stack } from "aws-cdk-lib";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CallerRole } from "../../../examples/iam/caller-role.ts";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { decide } from "../../support/iam/evaluator.ts";
import { otherAccount, roleArn, scopes } from "../../support/iam/resolved.ts";
import { recipe } from "../../support/recipe.ts";
import { account, region, type Synthesized, synthesized } from "../../support/synthesized.ts";
import { cellsOf, policiesOf, resourceOf, scopeOutputs } from "./policies.ts";

let made: Synthesized;
beforeAll(() => {
  made = synthesized({ scopes });
});
afterAll(() => made.remove());

/** The scope that names callers of that account. */
const places = [
  ["the broker's account", account, "sales"],
  ["another account", otherAccount, "finance"],
] as const;

describe.each(places)("a role of %s", (_, ofRole, scope) => {
  /** What CDK's recipe makes of it. */
  function cdk() {
    const { api } = scopeOutputs(made.stack, scope);
    const stack = new Stack(new App(), "Service", { env: { account: ofRole, region } });
    const assumedBy = new ServicePrincipal("ecs-tasks.amazonaws.com");
    new CallerRole(stack, "Caller", { roleName: "report-service", assumedBy, api, scope });
    return policiesOf(stack, resourceOf(stack, "AWS::IAM::Role", "Caller"));
  }

  test("in CDK has the statement that the stack hands out, and nothing else", () => {
    expect(cellsOf(cdk())).toEqual(cellsOf([scopeOutputs(made.stack, scope).policy]));
  });

  test("in Terraform has the same", () => {
    const { api, policy } = scopeOutputs(made.stack, scope);
    expect(cellsOf([terraform({ api, scope })])).toEqual(cellsOf([policy]));
  });

  test("is let through to the scope's two routes, and to no other scope's", () => {
    const { api } = scopeOutputs(made.stack, scope);
    const principal = { roleArn: roleArn("report-service", ofRole), policies: cdk() };
    const verdicts = (named: string) =>
      ["token", "logout"].map((verb) =>
        decide({
          principal,
          action: "execute-api:Invoke",
          resource: `${api}/POST/scopes/${named}/${verb}`,
          resourcePolicy: resourcePolicy(api),
        }),
      );
    expect(verdicts(scope)).toEqual(["allowed", "allowed"]);
    expect(verdicts("marketing")).toEqual(["implicit deny", "implicit deny"]);
  });
});

/** API Gateway makes `execute-api:/` the API's own ARN. */
function resourcePolicy(api: string): PolicyDocument {
  const { Policy } = resourceOf(made.stack, "AWS::ApiGateway::RestApi");
  const apiArn = api.slice(0, api.indexOf("/") + 1);
  return JSON.parse(JSON.stringify(Policy).replaceAll("execute-api:/", apiArn));
}

/** The statement of the policy that is attached to the role, as Terraform would fill it in: read as text. */
function terraform(variables: Record<string, string>): PolicyDocument {
  const text = readFileSync(recipe("iam/caller-role.tf"), "utf8");
  const attached =
    /resource "aws_iam_role_policy" "\w+" \{[^}]*policy\s+= data\.aws_iam_policy_document\.(\w+)\.json/;
  const name = attached.exec(text)?.[1];
  const [, block = ""] = text.split(`data "aws_iam_policy_document" "${name}" {\n`);
  const body = block.slice(0, block.indexOf("\n}"));
  expect(body.match(/\bstatement\b/g)).toHaveLength(1);
  expect([...body.matchAll(/^ {4}(\w+)/gm)].map(([, argument]) => argument)).toEqual([
    "actions",
    "resources",
  ]);
  const list = (argument: string) => {
    const [, items = ""] = new RegExp(`\\b${argument}\\s*= \\[([^\\]]*)\\]`).exec(body) ?? [];
    return [...items.matchAll(/"((?:\$\{[^}]*\}|[^"])*)"/g)].map(([, item = ""]) =>
      item.replace(/\$\{var\.(\w+)\}/g, (whole, variable) => variables[variable] ?? whole),
    );
  };
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: list("actions"), Resource: list("resources") }],
  };
}
