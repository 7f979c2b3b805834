/**
 * Who may do what behind the broker: each role by the policies that the template gives it, the account's administrator
 * and others by `AdministratorAccess`, against the table's and the key's own policies. Every cell that is not named
 * as allowed is asserted to be denied.
 */
import { describe, expect, it } from "vitest";
import { sealContextKeys, table } from "../../../functions/contract.ts";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { assertExists, decide, encryptionContextKeys, type Principal } from "../../support/iam/evaluator.ts";
import { administratorAccess, defaultKeyPolicy } from "../../support/iam/policies.ts";
import {
  arn,
  functionNamed,
  location,
  otherAccount,
  resolved,
  roleArn,
  roleOf,
} from "../../support/iam/resolved.ts";

const breakGlass = roleArn("emergency/break-glass");
const { stack } = resolved({ settings: () => ({ breakGlassArns: [breakGlass] }) });
const [slots] = stack.tables;
const [sealingKey] = stack.keys;
const tableName = slots?.createTable.TableName ?? "";

const functionRole = (name: string) => roleOf(functionNamed(name, stack).roleArn, stack);
const schedulerRole = stack.roles.find(({ arn }) => stack.functions.every((each) => each.roleArn !== arn));
const administrator = (arn: string): Principal => ({ roleArn: arn, policies: [administratorAccess] });

const principals = {
  "issue-token": functionRole("issue-token"),
  logout: functionRole("logout"),
  operate: functionRole("operate"),
  sweep: functionRole("sweep"),
  scheduler: roleOf(schedulerRole?.arn ?? "", stack),
  administrator: administrator(roleArn("administrator")),
  "break-glass": administrator(breakGlass),
  "another account's administrator": administrator(roleArn("administrator", otherAccount)),
};
type Who = keyof typeof principals;
const functions = ["issue-token", "logout", "operate", "sweep"] as const;
/** Of the broker's account. What no policy of the broker's own protects is theirs by their `AdministratorAccess`. */
const administrators = ["administrator", "break-glass"] as const;

interface Operation {
  readonly action: string;
  readonly resource: string;
  readonly resourcePolicy?: PolicyDocument | undefined;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

async function allowed(operation: Operation): Promise<string[]> {
  await assertExists(operation.action, operation.resource);
  return Object.entries(principals)
    .filter(([, principal]) => decide({ principal, ...operation }) === "allowed")
    .map(([who]) => who);
}

/** One test for each operation; those without an entry in the table are nobody's. */
function matrix(operations: Record<string, Operation>, intended: Record<string, readonly Who[]>): void {
  for (const [name, operation] of Object.entries(operations)) {
    const who = intended[name] ?? [];
    it(`${name}: ${who.join(", ") || "nobody"}`, async () => {
      expect((await allowed(operation)).sort()).toEqual([...who].sort());
    });
  }
  const unknown = Object.keys(intended).filter((name) => !Object.hasOwn(operations, name));
  if (unknown.length > 0) throw new Error(`Not in the matrix: ${unknown.join(", ")}.`);
}

/** An operation for each of the names. */
const named = <T>(names: readonly string[], of: (name: string) => T) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<string, T>;

describe("on rows", () => {
  const rows = (action: string, index = "") => ({
    action: `dynamodb:${action}`,
    resource: arn("dynamodb", `table/${tableName}${index}`),
    resourcePolicy: slots?.resourcePolicy,
  });
  const onIndex = (action: string) => rows(action, `/index/${table.dueIndex.name}`);
  const onAnotherTable = (action: string) => ({
    action: `dynamodb:${action}`,
    resource: arn("dynamodb", "table/another"),
  });

  matrix(
    {
      ...named(
        [
          "BatchGetItem",
          "BatchWriteItem",
          "ConditionCheckItem",
          "DeleteItem",
          "ExportTableToPointInTime",
          "GetItem",
          "PartiQLDelete",
          "PartiQLInsert",
          "PartiQLSelect",
          "PartiQLUpdate",
          "PutItem",
          "Query",
          "Scan",
          "UpdateItem",
          "CreateBackup",
          "DeleteTable",
          "DescribeTable",
          "DeleteResourcePolicy",
          "UpdateTable",
        ],
        rows,
      ),
      "Query on the index": onIndex("Query"),
      "Scan on the index": onIndex("Scan"),
      "PartiQLSelect on the index": onIndex("PartiQLSelect"),
      "Query on another index": rows("Query", "/index/another"),
      "GetItem on another table": onAnotherTable("GetItem"),
      "PutItem on another table": onAnotherTable("PutItem"),
      "Query on another table": onAnotherTable("Query"),
      ...named(
        ["GetItem", "PutItem", "Query"].map((action) => `${action} on a table whose name goes on`),
        (name) => ({
          action: `dynamodb:${name.split(" ")[0]}`,
          resource: arn("dynamodb", `table/${tableName}-too`),
        }),
      ),
      // A table of the same name elsewhere: no ARN of the broker's leaves region or account open.
      "GetItem in another region": {
        action: "dynamodb:GetItem",
        resource: rows("GetItem").resource.replace(location.region, "eu-west-1"),
      },
    },
    {
      BatchGetItem: [...functions, "break-glass"],
      GetItem: [...functions, "break-glass"],
      PutItem: [...functions, "break-glass"],
      Query: ["logout", "operate", "sweep", "break-glass"],
      "Query on the index": ["sweep", "break-glass"],

      BatchWriteItem: ["break-glass"],
      ConditionCheckItem: ["break-glass"],
      DeleteItem: ["break-glass"],
      ExportTableToPointInTime: ["break-glass"],
      PartiQLDelete: ["break-glass"],
      PartiQLInsert: ["break-glass"],
      PartiQLSelect: ["break-glass"],
      PartiQLUpdate: ["break-glass"],
      Scan: ["break-glass"],
      UpdateItem: ["break-glass"],
      "Scan on the index": ["break-glass"],
      "PartiQLSelect on the index": ["break-glass"],
      "Query on another index": ["break-glass"],

      // Never in the way of whoever runs the table itself, CloudFormation among them. Such a one can come by rows in
      // other ways, and by no token: they are sealed.
      CreateBackup: administrators,
      UpdateTable: administrators,
      DeleteTable: administrators,
      DescribeTable: administrators,
      DeleteResourcePolicy: administrators,
      "GetItem on another table": administrators,
      "PutItem on another table": administrators,
      "Query on another table": administrators,
      "GetItem on a table whose name goes on": administrators,
      "PutItem on a table whose name goes on": administrators,
      "Query on a table whose name goes on": administrators,
      "GetItem in another region": administrators,
    },
  );
});

describe("with the sealing key", () => {
  const key = (action: string, encryptionContext?: Record<string, string>) => ({
    action: `kms:${action}`,
    resource: sealingKey?.arn ?? "",
    resourcePolicy: sealingKey?.policy,
    context: encryptionContextKeys(encryptionContext),
  });
  const complete = {
    ...Object.fromEntries(sealContextKeys.map((name) => [name, `any ${name}`])),
    table: tableName,
  };
  const without = (missing: string) =>
    Object.fromEntries(Object.entries(complete).filter(([name]) => name !== missing));
  const contexts: Record<string, Record<string, string> | undefined> = {
    "the complete context": complete,
    ...Object.fromEntries(sealContextKeys.map((name) => [`all but ${name}`, without(name)])),
    "one key more": { ...complete, more: "x" },
    "one key for another": { ...without("client_id"), clientId: "x" },
    "another table's context": { ...complete, table: "another" },
    "keys in capitals": Object.fromEntries(
      Object.entries(complete).map(([name, value]) => [name.toUpperCase(), value]),
    ),
    "the table alone": { table: complete.table },
    "an empty context": {},
    "no context": undefined,
  };
  const under = (action: string) =>
    Object.fromEntries(
      Object.entries(contexts).map(([name, context]) => [`${action} under ${name}`, key(action, context)]),
    );

  matrix(
    { ...under("Encrypt"), ...under("Decrypt") },
    {
      "Encrypt under the complete context": ["issue-token"],
      "Decrypt under the complete context": functions,
    },
  );

  // Whatever else would turn a sealed token into a readable one.
  matrix(
    named(
      ["CreateGrant", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"],
      (action) => key(action, complete),
    ),
    {},
  );

  matrix(
    {
      ...named(
        ["DescribeKey", "DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource"],
        (action) => key(action),
      ),
    },
    {
      DescribeKey: administrators,
      DisableKey: administrators,
      PutKeyPolicy: administrators,
      ScheduleKeyDeletion: administrators,
      TagResource: administrators,
    },
  );

  const another = {
    ...key("Decrypt", complete),
    resource: arn("kms", "key/00000000-0000-4000-8000-000000000000"),
    resourcePolicy: defaultKeyPolicy(location.accountId),
  };
  matrix(
    {
      "Decrypt with another key": another,
      "Encrypt with another key": { ...another, action: "kms:Encrypt" },
    },
    { "Decrypt with another key": administrators, "Encrypt with another key": administrators },
  );
});

describe("on secrets", () => {
  const secret = (action: string, name: string) => ({
    action: `secretsmanager:${action}`,
    resource: arn("secretsmanager", `secret:${name}`),
  });
  matrix(
    {
      "read a scope's": secret("GetSecretValue", "looker/sales-a1B2c3"),
      "read another scope's": secret("GetSecretValue", "looker/finance-a1B2c3"),
      "read another": secret("GetSecretValue", "database-a1B2c3"),
      "read one whose name begins with a scope's": secret("GetSecretValue", "looker/sales-admin-a1B2c3"),
      "read one whose name is a scope's and six characters": secret(
        "GetSecretValue",
        "looker/sales-a1B2c3-d4E5f6",
      ),
      "read one beneath a scope's": secret("GetSecretValue", "looker/sales/eu-a1B2c3"),
      "write a scope's": secret("PutSecretValue", "looker/sales-a1B2c3"),
      "look a scope's up": secret("DescribeSecret", "looker/sales-a1B2c3"),
    },
    {
      "read a scope's": ["issue-token", ...administrators],
      "read another scope's": ["issue-token", ...administrators],
      "read another": administrators,
      "read one whose name begins with a scope's": administrators,
      "read one whose name is a scope's and six characters": administrators,
      "read one beneath a scope's": administrators,
      "write a scope's": administrators,
      "look a scope's up": administrators,
    },
  );
});

describe("on functions", () => {
  const onFunction = (action: string, name: string) => ({
    action: `lambda:${action}`,
    resource: functionNamed(name, stack).arn,
  });
  matrix(
    {
      ...Object.fromEntries(functions.map((name) => [`invoke ${name}`, onFunction("InvokeFunction", name)])),
      "change the code of sweep": onFunction("UpdateFunctionCode", "sweep"),
      "invoke a function whose name begins with sweep's": {
        action: "lambda:InvokeFunction",
        resource: `${functionNamed("sweep", stack).arn}-too`,
      },
    },
    {
      // Who may do this can forge any caller; the guard in SECURITY.md is for the account's administrators.
      "invoke issue-token": administrators,
      "invoke logout": administrators,
      "invoke operate": administrators,
      "invoke sweep": ["scheduler", ...administrators],
      "change the code of sweep": administrators,
      "invoke a function whose name begins with sweep's": administrators,
    },
  );
});

describe("on logs, traces and networks", () => {
  const stream = (group: string) => arn("logs", `log-group:${group}:log-stream:2026/11/24/[1]0123`);
  const onLog = (name: string) => ({
    action: "logs:PutLogEvents",
    resource: stream(functionNamed(name, stack).logGroupName),
  });
  matrix(
    {
      ...Object.fromEntries(functions.map((name) => [`write to the log of ${name}`, onLog(name)])),
      "begin a stream in the log of logout": {
        action: "logs:CreateLogStream",
        resource: stream(functionNamed("logout", stack).logGroupName),
      },
      "read the log of logout": { ...onLog("logout"), action: "logs:GetLogEvents" },
      "write to another log": { action: "logs:PutLogEvents", resource: stream("/aws/lambda/another") },
      "send a trace": { action: "xray:PutTraceSegments", resource: "*" },
      "read traces": { action: "xray:GetTraceSummaries", resource: "*" },
      "see network interfaces": { action: "ec2:DescribeNetworkInterfaces", resource: "*" },
    },
    {
      "write to the log of issue-token": ["issue-token", ...administrators],
      "write to the log of logout": ["logout", ...administrators],
      "write to the log of operate": ["operate", ...administrators],
      "write to the log of sweep": ["sweep", ...administrators],
      "begin a stream in the log of logout": ["logout", ...administrators],
      "read the log of logout": administrators,
      "write to another log": administrators,
      "send a trace": [...functions, ...administrators, "another account's administrator"],
      "read traces": [...administrators, "another account's administrator"],
      "see network interfaces": [...administrators, "another account's administrator"],
    },
  );
});
