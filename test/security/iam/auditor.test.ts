import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { assertExists, decide } from "../../support/iam/evaluator.ts";
import { defaultKeyPolicy } from "../../support/iam/policies.ts";
import {
  arn,
  functionNamed,
  location,
  resolved,
  roleArn,
  roleOf,
  scopes,
} from "../../support/iam/resolved.ts";

const { stack, resources } = resolved({
  prepare({ broker }) {
    const role = new Role(broker, "Auditors", { assumedBy: new ServicePrincipal("ec2.amazonaws.com") });
    broker.grantAudit(role);
  },
});
const one = (type: string, part: string) => {
  const [found] = resources.filter((each) => each.type === type && each.logicalId.includes(part));
  if (!found) throw new Error(`no ${type} ${part}`);
  return found;
};
const handed: PolicyDocument = JSON.parse(
  String(one("AWS::SSM::Parameter", "Auditor").properties.Value),
).policy;
const granted = roleOf(one("AWS::IAM::Role", "Auditors").physical.attributes.Arn ?? "", stack);

const logGroup = (name: string) => arn("logs", `log-group:${name}`);
const ownGroups = [
  ...["issue-token", "logout", "operate", "sweep"].map((name) => functionNamed(name, stack).logGroupName),
  one("AWS::Logs::LogGroup", "AccessLogs").physical.ref,
];
const dashboard = `arn:aws:cloudwatch::${location.accountId}:dashboard/${one("AWS::CloudWatch::Dashboard", "").physical.ref}`;
const table = stack.tables[0]?.createTable.TableName;
const key = stack.keys[0]?.arn ?? "";

describe.each([
  ["the policy that the stack hands out", { roleArn: roleArn("auditor"), policies: [handed] }],
  ["grantAudit", granted],
])("an auditor, by %s,", (_, principal) => {
  const verdictOf = async (action: string, resource: string) => {
    await assertExists(action, resource);
    const resourcePolicy = resource === key ? defaultKeyPolicy(location.accountId) : undefined;
    return decide({ principal, action, resource, resourcePolicy });
  };

  it.each(ownGroups)("reads and asks the records of %s", async (name) => {
    for (const action of ["StartQuery", "FilterLogEvents", "GetLogGroupFields", "DescribeLogStreams"])
      expect(await verdictOf(`logs:${action}`, `${logGroup(name)}:*`)).toBe("allowed");
    expect(await verdictOf("logs:GetLogEvents", `${logGroup(name)}:log-stream:2026/11/24`)).toBe("allowed");
  });

  it.each([
    ["logs:GetQueryResults", "*"],
    ["logs:StopQuery", "*"],
    ["logs:DescribeQueryDefinitions", "*"],
    ["cloudwatch:GetMetricData", "*"],
    ["cloudformation:DescribeStacks", arn("cloudformation", "stack/looker-token-broker/1a2b3c4d")],
    ["cloudformation:ListStackResources", arn("cloudformation", "stack/looker-token-broker/1a2b3c4d")],
    ["cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:looker-token-broker-MintRate")],
    ["cloudwatch:DescribeAlarmHistory", arn("cloudwatch", "alarm:looker-token-broker-MintRate")],
    ["cloudwatch:GetDashboard", dashboard],
  ])("may %s", async (action, resource) => {
    expect(await verdictOf(action, resource)).toBe("allowed");
  });

  it.each([
    ["logs:StartQuery", logGroup("/aws/lambda/another")],
    ["cloudformation:DescribeStacks", arn("cloudformation", "stack/another/1a2b3c4d")],
    ["cloudformation:ListStackResources", arn("cloudformation", "stack/looker-token-broker-2/1a2b3c4d")],
    ["cloudformation:GetTemplate", arn("cloudformation", "stack/looker-token-broker/1a2b3c4d")],
    ["cloudformation:UpdateStack", arn("cloudformation", "stack/looker-token-broker/1a2b3c4d")],
    ["logs:FilterLogEvents", `${logGroup("/aws/lambda/another")}:*`],
    ["logs:DescribeQueries", "*"],
    ["logs:DeleteLogGroup", logGroup(ownGroups[0] ?? "")],
    ["logs:PutRetentionPolicy", logGroup(ownGroups[0] ?? "")],
    ["logs:PutLogEvents", `${logGroup(ownGroups[0] ?? "")}:log-stream:forged`],
    ["cloudwatch:DisableAlarmActions", arn("cloudwatch", "alarm:looker-token-broker-MintRate")],
    ["cloudwatch:PutDashboard", dashboard],
    ["dynamodb:GetItem", arn("dynamodb", `table/${table}`)],
    ["dynamodb:Scan", arn("dynamodb", `table/${table}`)],
    ["kms:Decrypt", key],
    ["secretsmanager:GetSecretValue", arn("secretsmanager", "secret:looker/sales-a1B2c3")],
    ["lambda:InvokeFunction", functionNamed("issue-token", stack).arn],
    ["execute-api:Invoke", arn("execute-api", `${stack.apiId}/${stack.stage}/GET/scopes`)],
    ...Object.keys(scopes).map((scope) => [
      "execute-api:Invoke",
      arn("execute-api", `${stack.apiId}/${stack.stage}/POST/scopes/${scope}/token`),
    ]),
  ])("may not %s on %s", async (action = "", resource = "") => {
    expect(await verdictOf(action, resource)).toBe("implicit deny");
  });
});

it("the same in Terraform names the same actions and resources", () => {
  const { policy, terraform } = JSON.parse(String(one("AWS::SSM::Parameter", "Auditor").properties.Value));
  const quoted = [...terraform.matchAll(/ "([^"]*)",?$|\["([^"]*)"\]/gm)].map(
    ([, item, only]) => item ?? only,
  );
  const named = policy.Statement.flatMap(
    ({ Action, Resource }: { Action: string | string[]; Resource: string[] }) => [
      ...[Action].flat(),
      ...Resource,
    ],
  );
  expect(quoted).toEqual(named);
});

it("the parameter fits into 4 KB", () => {
  expect(String(one("AWS::SSM::Parameter", "Auditor").properties.Value).length).toBeLessThan(4_096);
});
