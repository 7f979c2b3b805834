/**
 * Who may do what behind the broker: each role by the policies that the template gives it, the account's administrator
 * and others by `AdministratorAccess`, against the table's and the key's own policies. Every cell that is not named
 * as allowed is asserted to be denied.
 */
import { describe, expect, it } from "vitest";
import { sealContextKeys, table } from "../../../functions/contract.ts";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { assertExists, decide, encryptionContextKeys, type Principal } from "../../support/iam/evaluator.ts";
import { administratorAccess, defaultKeyPolicy, policy } from "../../support/iam/policies.ts";
import {
  arn,
  functionNamed,
  location,
  otherAccount,
  resolved,
  roleArn,
  roleOf,
  scopes,
} from "../../support/iam/resolved.ts";
import { scopeOf } from "../../support/synthesized.ts";

const breakGlass = roleArn("emergency/break-glass");
const encryptionKeyArn = arn("kms", "key/5678abcd-12ab-34cd-56ef-1234567890ab");
const rotation = { everyDays: 30, administrator: { secretName: "looker/rotator" } };
const { stack, resources } = resolved({
  settings: () => ({ breakGlassArns: [breakGlass] }),
  scopes: { ...scopes, sales: scopeOf({ secretName: "looker/sales", encryptionKeyArn, rotation }) },
});
const [slots] = stack.tables;
const [sealingKey] = stack.keys;
const tableName = slots?.createTable.TableName ?? "";

const functionRole = (name: string) => roleOf(functionNamed(name, stack).roleArn, stack);
const scheduleRole = (schedule: string) => {
  const found = stack.roles.find(({ arn }) => arn.includes(schedule));
  return roleOf(found?.arn ?? "", stack);
};
const administrator = (arn: string): Principal => ({ roleArn: arn, policies: [administratorAccess] });

const principals = {
  "issue-token": functionRole("issue-token"),
  logout: functionRole("logout"),
  operate: functionRole("operate"),
  sweep: functionRole("sweep"),
  "check-account": functionRole("check-account"),
  "rotate-secret": functionRole("rotate-secret"),
  scheduler: scheduleRole("SweepSchedule"),
  "retirement's scheduler": scheduleRole("Retirement"),
  administrator: administrator(roleArn("administrator")),
  "break-glass": administrator(breakGlass),
  "another account's administrator": administrator(roleArn("administrator", otherAccount)),
};
type Who = keyof typeof principals;
const functions = ["issue-token", "logout", "operate", "sweep", "check-account", "rotate-secret"] as const;
/** They open the tokens of all callers. */
const openers = ["issue-token", "logout", "operate", "sweep"] as const;
/** The rotation's function reads and writes control rows of secrets alone. */
const ofAllRows = [...openers, "check-account"] as const;
/** Only they read a slot and its control rows at once. */
const issuers = ["issue-token", "check-account"] as const;
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
  const rows = (action: string, index = "", partitions: readonly string[] = ["scope#sales#3"]) => ({
    action: `dynamodb:${action}`,
    resource: arn("dynamodb", `table/${tableName}${index}`),
    resourcePolicy: slots?.resourcePolicy,
    ...(partitions.length > 0 && { context: { "dynamodb:LeadingKeys": partitions } }),
  });
  const inPartitions = (...partitions: readonly string[]) =>
    named(["GetItem", "PutItem", "Query"], (action) => rows(action, "", partitions));
  const labelled = <T>(operations: Record<string, T>, label: string) =>
    Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [`${name} ${label}`, operation]),
    );
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
      ...labelled(inPartitions("secret#looker/sales"), "of a secret's control row"),
      ...labelled(inPartitions("scope#sales"), "of a scope's control row"),
      ...labelled(inPartitions("secret#looker/sales", "scope#sales"), "of rows of both kinds"),
      ...labelled(inPartitions(), "without a partition key"),
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
      BatchGetItem: [...issuers, "break-glass"],
      GetItem: [...ofAllRows, "break-glass"],
      PutItem: [...ofAllRows, "break-glass"],
      Query: ["logout", "operate", "sweep", "rotate-secret", "break-glass"],
      "GetItem of a secret's control row": [...functions, "break-glass"],
      "PutItem of a secret's control row": [...functions, "break-glass"],
      "Query of a secret's control row": ["logout", "operate", "sweep", "break-glass"],
      ...Object.fromEntries(
        ["of a scope's control row", "of rows of both kinds", "without a partition key"].flatMap((label) => [
          [`GetItem ${label}`, [...ofAllRows, "break-glass"] as const],
          [`PutItem ${label}`, [...ofAllRows, "break-glass"] as const],
          [`Query ${label}`, ["logout", "operate", "sweep", "break-glass"] as const],
        ]),
      ),
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
    "the account check's context": { ...complete, account: "000000000000", caller: "CHECKACCOUNT" },
    "the account check's account alone": { ...complete, account: "000000000000" },
    "the account check's caller alone": { ...complete, caller: "CHECKACCOUNT" },
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
      "Encrypt under the account check's context": ["issue-token", "check-account"],
      "Encrypt under the account check's account alone": ["issue-token"],
      "Encrypt under the account check's caller alone": ["issue-token"],
      // A caller's token is none of the account check's business, and no token is of the rotation's.
      "Decrypt under the complete context": openers,
      "Decrypt under the account check's context": [...openers, "check-account"],
      "Decrypt under the account check's account alone": openers,
      "Decrypt under the account check's caller alone": openers,
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
      "move the stages of a scope's": secret("UpdateSecretVersionStage", "looker/sales-a1B2c3"),
      "write one of a scope that does not rotate": secret("PutSecretValue", "looker/finance-a1B2c3"),
      "look up one of a scope that does not rotate": secret("DescribeSecret", "looker/finance-a1B2c3"),
      "read the administrator's": secret("GetSecretValue", "looker/rotator-a1B2c3"),
      "write the administrator's": secret("PutSecretValue", "looker/rotator-a1B2c3"),
      "start a rotation": secret("RotateSecret", "looker/sales-a1B2c3"),
      "delete a scope's": secret("DeleteSecret", "looker/sales-a1B2c3"),
      "have Secrets Manager make a password": { action: "secretsmanager:GetRandomPassword", resource: "*" },
    },
    {
      "read a scope's": ["issue-token", "check-account", "rotate-secret", ...administrators],
      "read another scope's": ["issue-token", "check-account", ...administrators],
      "read another": administrators,
      "read one whose name begins with a scope's": administrators,
      "read one whose name is a scope's and six characters": administrators,
      "read one beneath a scope's": administrators,
      "write a scope's": ["rotate-secret", ...administrators],
      "look a scope's up": ["rotate-secret", ...administrators],
      "move the stages of a scope's": ["rotate-secret", ...administrators],
      "write one of a scope that does not rotate": administrators,
      "look up one of a scope that does not rotate": administrators,
      "read the administrator's": ["rotate-secret", ...administrators],
      "write the administrator's": administrators,
      "start a rotation": administrators,
      "delete a scope's": administrators,
      "have Secrets Manager make a password": [...administrators, "another account's administrator"],
    },
  );

  const withKey = (
    action: string,
    secretName: string,
    via = `secretsmanager.${location.region}.amazonaws.com`,
  ) => ({
    action: `kms:${action}`,
    resource: encryptionKeyArn,
    resourcePolicy: defaultKeyPolicy(location.accountId),
    context: {
      ...encryptionContextKeys({ SecretARN: arn("secretsmanager", `secret:${secretName}`) }),
      "kms:ViaService": via,
    },
  });
  matrix(
    {
      "decrypt with a secret's key": withKey("Decrypt", "looker/sales-a1B2c3"),
      "encrypt a new version with a secret's key": withKey("GenerateDataKey", "looker/sales-a1B2c3"),
      "decrypt another secret with that key": withKey("Decrypt", "looker/another-a1B2c3"),
      "use that key beside Secrets Manager": withKey("GenerateDataKey", "looker/sales-a1B2c3", "s3"),
    },
    {
      "decrypt with a secret's key": ["issue-token", "check-account", "rotate-secret", ...administrators],
      "encrypt a new version with a secret's key": ["rotate-secret", ...administrators],
      "decrypt another secret with that key": administrators,
      "use that key beside Secrets Manager": administrators,
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
      "invoke check-account": ["scheduler", ...administrators],
      "invoke rotate-secret": ["retirement's scheduler", ...administrators],
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
      "write to the log of check-account": ["check-account", ...administrators],
      "write to the log of rotate-secret": ["rotate-secret", ...administrators],
      "begin a stream in the log of logout": ["logout", ...administrators],
      "read the log of logout": administrators,
      "write to another log": administrators,
      "send a trace": [...functions, ...administrators, "another account's administrator"],
      "read traces": [...administrators, "another account's administrator"],
      "see network interfaces": [...administrators, "another account's administrator"],
    },
  );
});

describe("the roles", () => {
  const trust = (role: string) => {
    const found = resources.find(
      ({ type, logicalId }) => type === "AWS::IAM::Role" && logicalId.includes(role),
    );
    return (found?.properties.AssumeRolePolicyDocument as PolicyDocument | undefined)?.Statement;
  };
  const assume = { Effect: "Allow", Action: "sts:AssumeRole" };

  it("of the functions are Lambda's", () => {
    for (const role of ["IssueToken", "Logout", "Operate", "SweepRole", "CheckAccount", "RotateSecretRole"])
      expect([role, trust(role)]).toEqual([
        role,
        [{ ...assume, Principal: { Service: "lambda.amazonaws.com" } }],
      ]);
  });

  it("of the schedules are EventBridge Scheduler's, for schedules of this account and region", () => {
    const Condition = {
      StringEquals: {
        "aws:SourceAccount": location.accountId,
        "aws:SourceArn": arn("scheduler", "schedule-group/default"),
      },
    };
    for (const role of ["SweepSchedule", "Retirement"])
      expect([role, trust(role)]).toEqual([
        role,
        [{ ...assume, Principal: { Service: "scheduler.amazonaws.com" }, Condition }],
      ]);
  });
});

describe("Secrets Manager invokes the function", () => {
  const secret = (name: string, account = location.accountId) =>
    `arn:aws:secretsmanager:${location.region}:${account}:secret:${name}`;
  const rotator = functionNamed("rotate-secret", stack);
  const permissions = resources
    .filter(
      ({ type, properties }) => type === "AWS::Lambda::Permission" && properties.FunctionName === rotator.arn,
    )
    .map(({ properties }) => properties);
  /** As Lambda writes them: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html */
  const resourcePolicy = policy(
    ...permissions.map(({ Action, SourceAccount, SourceArn }) => ({
      Effect: "Allow" as const,
      Principal: "*",
      Action: String(Action),
      Resource: rotator.arn,
      Condition: {
        StringEquals: { "aws:SourceAccount": String(SourceAccount) },
        ArnLike: { "aws:SourceArn": String(SourceArn) },
      },
    })),
  );
  const may = (sourceArn: string, sourceAccount = location.accountId) =>
    decide({
      principal: undefined,
      action: "lambda:InvokeFunction",
      resource: rotator.arn,
      resourcePolicy,
      context: { "aws:SourceArn": sourceArn, "aws:SourceAccount": sourceAccount },
    }) === "allowed";

  it("and no other service does", () => {
    expect(permissions.map(({ Principal }) => Principal)).toEqual(["secretsmanager.amazonaws.com"]);
  });

  it("for the secret that rotates", () => {
    expect(may(secret("looker/sales-a1B2c3"))).toBe(true);
  });

  it("and not for a secret of another account, under the same name or under a claimed one", () => {
    expect(may(secret("looker/sales-a1B2c3", otherAccount), otherAccount)).toBe(false);
    expect(may(secret("looker/sales-a1B2c3", otherAccount))).toBe(false);
    expect(may(secret("looker/sales-a1B2c3"), otherAccount)).toBe(false);
  });

  it("and not for another secret of the account", () => {
    for (const name of ["looker/finance-a1B2c3", "looker/rotator-a1B2c3", "looker/sales-admin-a1B2c3"])
      expect(may(secret(name))).toBe(false);
  });
});
