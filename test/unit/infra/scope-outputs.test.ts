import { AccountPrincipal, Role, User } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import type { ScopeDefinitions } from "../../../functions/domain/scope.ts";
import { resolveValue } from "../../../local/stack/intrinsics.ts";
import {
  account,
  region,
  type Synthesized,
  scopeOf,
  synthesizedForFile,
  synthesizedHere,
} from "../../support/synthesized.ts";

const broker = synthesizedForFile();

/** As CloudFormation would write it. */
const resolved = (value: unknown) =>
  resolveValue(value, "test", {
    ref: (id) =>
      ({ "AWS::URLSuffix": "amazonaws.com", "AWS::AccountId": account, "AWS::Partition": "aws" })[id] ??
      (id.includes("Stage") ? "v1" : id.includes("RestApi") ? "abcdefghij" : undefined),
    attribute: () => undefined,
  });
const arn = (method: string, path: string) =>
  `arn:aws:execute-api:${region}:${account}:abcdefghij/v1/${method}/${path}`;
const callerArns = [
  arn("POST", "scopes/sales/token"),
  arn("GET", "scopes"),
  arn("POST", "scopes/sales/logout"),
];
const operatorArns = [
  arn("GET", "scopes"),
  arn("GET", "scopes/sales/leases"),
  arn("DELETE", "scopes/sales/leases"),
  arn("GET", "scopes/sales/account"),
  arn("PUT", "scopes/sales/freeze"),
  arn("DELETE", "scopes/sales/freeze"),
  arn("DELETE", "scopes/sales/denials/*"),
];

describe("what a team is handed", () => {
  const output = (name: string): string => {
    const outputs: Record<string, { Value: unknown }> = broker.template.toJSON().Outputs;
    const [found] = Object.entries(outputs).filter(([id]) => id.startsWith(name));
    if (!found) throw new Error(`no output ${name}`);
    return resolved(found[1].Value) as string;
  };

  it("is an IAM policy for callers and one for operators, as JSON", () => {
    const policy = (arns: string[]) => ({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: arns }],
    });
    expect(JSON.parse(output("ScopesalesCallerPolicy"))).toEqual(policy(callerArns));
    expect(JSON.parse(output("ScopesalesOperatorPolicy"))).toEqual(policy(operatorArns));
  });

  it("is the same as Terraform", () => {
    expect(output("ScopesalesCallerTerraform")).toBe(`data "aws_iam_policy_document" "looker_sales_caller" {
  statement {
    actions   = ["execute-api:Invoke"]
    resources = [
      "${callerArns[0]}",
      "${callerArns[1]}",
      "${callerArns[2]}",
    ]
  }
}
`);
    expect(output("ScopesalestooOperatorTerraform")).toContain('"looker_sales_too_operator"');
  });

  it("is also one SSM parameter a scope, with the endpoint", () => {
    const [parameter] = broker
      .ofType("AWS::SSM::Parameter")
      .filter(([, { Properties }]) => Properties.Name === "/looker-token-broker/Broker/scopes/sales");
    const value = JSON.parse(resolved(parameter?.[1].Properties.Value) as string);
    expect(value).toEqual({
      endpoint: `https://abcdefghij.execute-api.${region}.amazonaws.com/v1`,
      region,
      caller: {
        policy: JSON.parse(output("ScopesalesCallerPolicy")),
        terraform: output("ScopesalesCallerTerraform"),
      },
      operator: {
        policy: JSON.parse(output("ScopesalesOperatorPolicy")),
        terraform: output("ScopesalesOperatorTerraform"),
      },
    });
  });

  it("fits: 4 KB a parameter with the longest scope name, 200 outputs, 500 resources and 1 MB with 200 scopes", () => {
    const longest = (index: number) => `s${String(index).padStart(3, "0")}${"x".repeat(59)}`;
    const scopes: ScopeDefinitions = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [longest(index), scopeOf({ secretName: `looker/${index}` })]),
    );
    const { ofType, resources, template } = synthesizedHere({ scopes });
    const ofScopes = ofType("AWS::SSM::Parameter").filter(([, { Properties }]) =>
      Properties.Name.includes("/scopes/"),
    );
    for (const [, { Properties }] of ofScopes)
      expect((resolved(Properties.Value) as string).length).toBeLessThanOrEqual(4096);
    expect(ofScopes).toHaveLength(200);
    expect(Object.keys(template.toJSON().Outputs)).toHaveLength(6);
    expect(Object.keys(resources).length).toBeLessThan(500);
    expect(JSON.stringify(template.toJSON()).length).toBeLessThan(1_000_000);
  }, 60_000);
});

describe("grants in CDK", () => {
  const statementsFor = (grant: (broker: Synthesized["stack"]["broker"], role: Role) => void) => {
    const { template } = synthesizedHere({
      prepare({ broker: construct }) {
        const role = new Role(construct.node.scope ?? construct, "Service", {
          assumedBy: new AccountPrincipal(account),
        });
        grant(construct, role);
      },
    });
    const policies: { Properties: { PolicyDocument: { Statement: unknown } } }[] = Object.entries(
      template.toJSON().Resources as Record<string, never>,
    ).flatMap(([id, resource]) => (id.startsWith("ServiceDefaultPolicy") ? [resource] : []));
    return resolved(policies[0]?.Properties.PolicyDocument.Statement);
  };
  const invoke = (Resource: string | string[]) => ({
    Action: "execute-api:Invoke",
    Effect: "Allow",
    Resource,
  });

  it("of tokens allow that route of that scope, and to ask who one is", () => {
    expect(statementsFor((construct, role) => construct.grantToken(role, "sales"))).toEqual([
      invoke([arn("GET", "scopes"), arn("POST", "scopes/sales/token")]),
    ]);
  });

  it("of logout allow that route alone", () => {
    expect(statementsFor((construct, role) => construct.grantLogout(role, "sales"))).toEqual([
      invoke(arn("POST", "scopes/sales/logout")),
    ]);
  });

  it("of operation allow an operator's routes of that scope", () => {
    expect(statementsFor((construct, role) => construct.grantOperate(role, "sales"))).toEqual([
      invoke(operatorArns.toSorted()),
    ]);
  });

  it("are refused for a scope that there is not, with those that there are", () => {
    const { stack } = synthesizedHere();
    const user = new User(stack, "User");
    expect(() => stack.broker.grantToken(user, "sale")).toThrow(
      'There is no scope "sale"; there are sales, sales-too, finance.',
    );
  });
});
