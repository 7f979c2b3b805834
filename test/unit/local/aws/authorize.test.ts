import { describe, expect, it } from "vitest";
import { authorizeCalls } from "../../../../local/aws/authorize.ts";
import type { ArrivedCall } from "../../../../local/aws/call.ts";

const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
const decide = authorizeCalls(
  [
    {
      arn: role("issue"),
      name: "issue",
      roleId: "AROAISSUE",
      statements: [
        { Effect: "Allow", Action: ["dynamodb:GetItem", "dynamodb:PutItem"], Resource: "x" },
        { Effect: "Allow", Action: "kms:Decrypt", Resource: "x" },
        { Effect: "Deny", Action: "dynamodb:Scan", Resource: "x" },
      ],
    },
    ...["rotator", "half-rotator"].map((name) => ({
      arn: role(name),
      name,
      roleId: `AROA${name}`,
      statements: [
        { Effect: "Allow", Action: "secretsmanager:RotateSecret", Resource: "x" },
        ...(name === "rotator" ? [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: "x" }] : []),
      ],
    })),
  ],
  role("administrator"),
  {
    arns: [role("operator")],
    statements: [
      { Effect: "Allow", Action: ["logs:StartQuery", "cloudformation:DescribeStacks"], Resource: "x" },
    ],
  },
);
const allowed = (principal: string, service: ArrivedCall["service"], operation: string) =>
  decide({ at: 0, service, operation, principalArn: role(principal), resources: [] }).allow;

describe("calls at the AWS proxy", () => {
  it("are allowed to an operator by the auditor's policy, which opens no row and no secret", () => {
    expect(allowed("operator", "logs", "StartQuery")).toBe(true);
    expect(allowed("operator", "cloudformation", "DescribeStacks")).toBe(true);
    expect(allowed("operator", "logs", "DeleteLogGroup")).toBe(false);
    expect(allowed("operator", "dynamodb", "GetItem")).toBe(false);
    expect(allowed("operator", "secretsmanager", "GetSecretValue")).toBe(false);
    expect(allowed("caller", "logs", "StartQuery")).toBe(false);
  });

  it("are allowed to a function by its own role's statements only", () => {
    expect(allowed("issue", "dynamodb", "GetItem")).toBe(true);
    expect(allowed("issue", "kms", "Decrypt")).toBe(true);
    expect(allowed("issue", "kms", "Encrypt")).toBe(false);
    expect(allowed("issue", "secretsmanager", "GetSecretValue")).toBe(false);
    expect(allowed("issue", "dynamodb", "Scan")).toBe(false);
  });

  it("are allowed to the administrator for rows and secrets", () => {
    expect(allowed("administrator", "dynamodb", "Scan")).toBe(true);
    expect(allowed("administrator", "secretsmanager", "PutSecretValue")).toBe(true);
    expect(allowed("administrator", "kms", "Decrypt")).toBe(false);
  });

  it("rotate a secret for a role that may invoke functions as well", () => {
    expect(allowed("rotator", "secretsmanager", "RotateSecret")).toBe(true);
    expect(allowed("half-rotator", "secretsmanager", "RotateSecret")).toBe(false);
    expect(allowed("administrator", "secretsmanager", "RotateSecret")).toBe(true);
  });

  it("are denied to callers, whose keys the AWS proxy knows all the same", () => {
    expect(allowed("report-service", "dynamodb", "GetItem")).toBe(false);
    expect(allowed("report-service", "secretsmanager", "GetSecretValue")).toBe(false);
  });
});
