// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax of Fn::Sub.
import { describe, expect, it } from "vitest";
import type { CloudAssembly, Template } from "../../../../local/stack/cloud-assembly.ts";
import { TemplateError } from "../../../../local/stack/intrinsics.ts";
import { functionNamed } from "../../../../local/stack/rotations.ts";
import { readTemplate } from "../../../../local/stack/template.ts";

const location = { partition: "aws", region: "eu-central-1", accountId: "111122223333" };

const arn = (service: string) => ["arn:", { Ref: "AWS::Partition" }, `:${service}:`, { Ref: "AWS::Region" }];
const resources: Template["Resources"] = {
  Slots: {
    Type: "AWS::DynamoDB::Table",
    Properties: {
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
      GlobalSecondaryIndexes: [{ IndexName: "due" }],
      TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
    },
  },
  Key: { Type: "AWS::KMS::Key", Properties: {} },
  Alias: {
    Type: "AWS::KMS::Alias",
    Properties: { AliasName: "alias/broker", TargetKeyId: { "Fn::GetAtt": ["Key", "Arn"] } },
  },
  Api: { Type: "AWS::ApiGateway::RestApi", Properties: {} },
  Deployment: { Type: "AWS::ApiGateway::Deployment", Properties: { RestApiId: { Ref: "Api" } } },
  Stage: { Type: "AWS::ApiGateway::Stage", Properties: { StageName: "v1" } },
  Scopes: {
    Type: "AWS::ApiGateway::Resource",
    Properties: { ParentId: { "Fn::GetAtt": ["Api", "RootResourceId"] }, PathPart: "scopes" },
  },
  Scope: {
    Type: "AWS::ApiGateway::Resource",
    Properties: { ParentId: { Ref: "Scopes" }, PathPart: "{scope}" },
  },
  GetScope: {
    Type: "AWS::ApiGateway::Method",
    Properties: {
      HttpMethod: "GET",
      AuthorizationType: "AWS_IAM",
      ResourceId: { Ref: "Scope" },
      RestApiId: { Ref: "Api" },
      Integration: {
        Type: "AWS_PROXY",
        Uri: {
          "Fn::Join": [
            "",
            [
              ...arn("apigateway"),
              ":lambda:path/2015-03-31/functions/",
              { "Fn::GetAtt": ["Greet", "Arn"] },
              "/invocations",
            ],
          ],
        },
      },
    },
  },
  Permission: {
    Type: "AWS::Lambda::Permission",
    Properties: {
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
      FunctionName: { "Fn::GetAtt": ["Greet", "Arn"] },
      SourceArn: {
        "Fn::Sub":
          "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Stage}/GET/scopes/*",
      },
    },
  },
  Role: {
    Type: "AWS::IAM::Role",
    Properties: {
      Policies: [
        {
          PolicyDocument: {
            Statement: [
              {
                Effect: "Allow",
                Action: "dynamodb:GetItem",
                Resource: { "Fn::GetAtt": ["Slots", "Arn"] },
              },
            ],
          },
        },
      ],
    },
  },
  Logs: { Type: "AWS::Logs::LogGroup", Properties: {} },
  Greet: {
    Type: "AWS::Lambda::Function",
    Metadata: { "broker:function": "greet" },
    Properties: {
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { S3Bucket: { "Fn::Sub": "assets-${AWS::AccountId}" }, S3Key: "abc.zip" },
      Environment: { Variables: { TABLE: { Ref: "Slots" }, KEY: { "Fn::GetAtt": ["Key", "Arn"] } } },
      LoggingConfig: { LogGroup: { Ref: "Logs" } },
      MemorySize: 512,
      Role: { "Fn::GetAtt": ["Role", "Arn"] },
      Timeout: 25,
    },
  },
};

const assembly = (changes: Record<string, unknown> = {}): CloudAssembly => ({
  stackName: "broker",
  template: { Resources: { ...resources, ...(changes as Template["Resources"]) } },
  codeDirectory: (key) => (key === "abc.zip" ? "/out/asset.abc" : undefined),
});
const read = (changes?: Record<string, unknown>) => readTemplate(assembly(changes), location);
const changed = (logicalId: string, properties: Record<string, unknown>) => ({
  [logicalId]: {
    ...resources[logicalId],
    Properties: { ...resources[logicalId]?.Properties, ...properties },
  },
});

const statement = (Action: string) => ({ Effect: "Allow", Action, Resource: "*" });
const gatewayResponse = (ResponseParameters: Record<string, string>) => ({
  Throttled: {
    Type: "AWS::ApiGateway::GatewayResponse",
    Properties: {
      RestApiId: { Ref: "Api" },
      ResponseType: "THROTTLED",
      StatusCode: "429",
      ResponseParameters,
      ResponseTemplates: { "application/json": '{"message":$context.error.messageString}' },
    },
  },
});

const schedule = (properties: object) => ({
  Type: "AWS::SecretsManager::RotationSchedule",
  Properties: {
    SecretId: "looker/sales",
    RotationLambdaARN: { "Fn::GetAtt": ["Greet", "Arn"] },
    RotationRules: { ScheduleExpression: "rate(30 days)" },
    ...properties,
  },
});
const greeted = {
  Effect: "Allow",
  Action: "lambda:InvokeFunction",
  Resource: { "Fn::GetAtt": ["Greet", "Arn"] },
};
/** With a permission for the role. */
const scheduling = (schedules: Record<string, unknown>) => ({
  ...changed("Role", { Policies: [{ PolicyDocument: { Statement: [greeted] } }] }),
  ...schedules,
});
const scheduled = (ScheduleExpression: string, hasInput: boolean) => {
  const Arn = { "Fn::GetAtt": ["Greet", "Arn"] };
  const RoleArn = { "Fn::GetAtt": ["Role", "Arn"] };
  const Input = hasInput ? '{"retire":true}' : { Ref: "AWS::NoValue" };
  return {
    Type: "AWS::Scheduler::Schedule",
    Properties: { ScheduleExpression, Target: { Arn, RoleArn, Input } },
  };
};

describe("reading a template", () => {
  it("gives routes with the functions behind them", () => {
    const { apiId, stage, routes } = read();
    expect(apiId).toMatch(/^[a-z0-9]{10}$/);
    expect(stage).toBe("v1");
    expect(routes).toEqual([
      {
        resource: "/scopes/{scope}",
        resourceId: expect.stringMatching(/^[a-z0-9]{6}$/),
        method: "GET",
        functionId: "greet",
        authorization: "AWS_IAM",
      },
    ]);
  });

  it("gives functions with code, resolved environment and role", () => {
    const { functions, tables, keys, roles } = read();
    expect(functions).toEqual([
      {
        id: "greet",
        name: expect.stringMatching(/^broker-Greet-[A-Z0-9]{12}$/),
        arn: expect.stringMatching(/^arn:aws:lambda:eu-central-1:111122223333:function:broker-Greet-/),
        codeDir: "/out/asset.abc",
        handler: "index.handler",
        environment: { TABLE: tables[0]?.createTable.TableName, KEY: keys[0]?.arn },
        timeoutSeconds: 25,
        memoryMb: 512,
        logGroupName: expect.stringMatching(/^broker-Logs-/),
        roleArn: roles[0]?.arn,
        roleId: roles[0]?.roleId,
      },
    ]);
  });

  it("gives tables as CreateTable takes them, keys with aliases, and roles with statements", () => {
    const { tables, keys, roles } = read();
    const name = expect.stringMatching(/^broker-Slots-/);
    expect(tables).toEqual([
      {
        createTable: {
          TableName: name,
          AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
          KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
          BillingMode: "PAY_PER_REQUEST",
          GlobalSecondaryIndexes: [{ IndexName: "due" }],
        },
        ttlAttribute: "ttl",
      },
    ]);
    expect(keys).toEqual([
      {
        arn: expect.stringMatching(/^arn:aws:kms:eu-central-1:111122223333:key\/[0-9a-f-]{36}$/),
        aliases: ["alias/broker"],
      },
    ]);
    expect(roles).toEqual([
      {
        arn: expect.stringMatching(/^arn:aws:iam::111122223333:role\/broker-Role-/),
        name: expect.stringMatching(/^broker-Role-/),
        roleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
        statements: [
          {
            Effect: "Allow",
            Action: "dynamodb:GetItem",
            Resource: expect.stringMatching(
              /^arn:aws:dynamodb:eu-central-1:111122223333:table\/broker-Slots-/,
            ),
          },
        ],
      },
    ]);
  });

  it("gives a role the statements of every policy that is attached to it, and of no other", () => {
    const policy = (type: string, action: string, properties: Record<string, unknown> = {}) => ({
      Type: `AWS::IAM::${type}`,
      Properties: { PolicyDocument: { Statement: [statement(action)] }, ...properties },
    });
    const { roles } = read({
      Attached: policy("Policy", "kms:Decrypt", { Roles: ["another", { Ref: "Role" }] }),
      Managed: policy("ManagedPolicy", "xray:PutTraceSegments", { Roles: [{ Ref: "Role" }] }),
      Named: policy("ManagedPolicy", "sns:Publish"),
      ElsewhereAttached: policy("Policy", "sqs:SendMessage", { Roles: ["another"] }),
      Unattached: policy("ManagedPolicy", "s3:GetObject"),
      ...changed("Role", { ManagedPolicyArns: [{ Ref: "Named" }] }),
    });
    expect(roles[0]?.statements.map(({ Action }) => Action)).toEqual([
      "dynamodb:GetItem",
      "kms:Decrypt",
      "xray:PutTraceSegments",
      "sns:Publish",
    ]);
  });

  it("gives the table's and the key's own policies, resolved", () => {
    const ofKey = { Principal: { AWS: { "Fn::GetAtt": ["Role", "Arn"] } }, ...statement("kms:Decrypt") };
    const ofTable = { Principal: "*", ...statement("dynamodb:Scan"), Effect: "Deny" };
    const { keys, tables, roles } = read({
      ...changed("Key", { KeyPolicy: { Statement: [ofKey] } }),
      ...changed("Slots", { ResourcePolicy: { PolicyDocument: { Statement: [ofTable] } } }),
    });
    expect(keys[0]?.policy).toEqual({ Statement: [{ ...ofKey, Principal: { AWS: roles[0]?.arn } }] });
    expect(tables[0]?.resourcePolicy).toEqual({ Statement: [ofTable] });
    expect(tables[0]?.createTable).not.toHaveProperty("ResourcePolicy");
  });

  it("gives the gateway's own answers, by response type", () => {
    expect(read().gatewayResponses).toEqual({});
    const { gatewayResponses } = read(gatewayResponse({ "gatewayresponse.header.Retry-After": "'1'" }));
    expect(gatewayResponses).toEqual({
      THROTTLED: {
        status: 429,
        headers: { "Retry-After": "1" },
        templates: { "application/json": '{"message":$context.error.messageString}' },
      },
    });
  });

  it("gives the stage's access log and throttle", () => {
    expect(read()).not.toHaveProperty("accessLogFormat");
    expect(read()).not.toHaveProperty("throttle");
    const all = { HttpMethod: "*", ResourcePath: "/*", ThrottlingRateLimit: 5, ThrottlingBurstLimit: 7 };
    const Format = "$context.requestId";
    const stage = read(changed("Stage", { AccessLogSetting: { Format }, MethodSettings: [all] }));
    expect(stage).toMatchObject({ accessLogFormat: Format, throttle: { ratePerSecond: 5, burst: 7 } });
  });

  it("gives rotation schedules, of a function or of its alias", () => {
    const { rotations, functions } = read({
      Sales: schedule({}),
      Finance: schedule({ RotationLambdaARN: { Ref: "Live" }, RotateImmediatelyOnUpdate: false }),
      Live: {
        Type: "AWS::Lambda::Alias",
        Properties: { FunctionName: { Ref: "Greet" }, Name: "live" },
      },
    });
    const functionArn = functions[0]?.arn;
    const rules = { ScheduleExpression: "rate(30 days)" };
    expect(rotations).toEqual([
      { secretId: "looker/sales", functionArn, rules, rotateImmediately: true },
      { secretId: "looker/sales", functionArn: `${functionArn}:live`, rules, rotateImmediately: false },
    ]);
    expect(functionNamed(functions, `${functionArn}:live`)?.id).toBe("greet");
    expect(functionNamed(functions, `${functionArn}2`)).toBeUndefined();
  });

  it("gives schedules in minutes, hours and days, with their own events", () => {
    const rates = { Often: "rate(5 minutes)", Hourly: "rate(1 hour)", Weekly: "rate(7 days)" };
    const all = Object.entries(rates).map(([id, rate]) => [id, scheduled(rate, id === "Often")]);
    const { schedules } = read(scheduling(Object.fromEntries(all)));
    expect(schedules.map(({ everySeconds }) => everySeconds)).toEqual([300, 3_600, 604_800]);
    expect(schedules.map(({ input }) => input)).toEqual([{ retire: true }, undefined, undefined]);
  });

  it("passes over resources without an effect on one machine", () => {
    const without = read({
      Endpoint: { Type: "AWS::SSM::Parameter", Properties: { Value: { Ref: "Api" } } },
      Account: { Type: "AWS::ApiGateway::Account" },
    });
    const { resources, ...rest } = read();
    expect(without).toMatchObject(rest);
    expect(without.resources).toEqual([
      ...resources,
      { logicalId: "Endpoint", type: "AWS::SSM::Parameter" },
      { logicalId: "Account", type: "AWS::ApiGateway::Account" },
    ]);
  });

  it("gives the same names every time", () => {
    expect(read()).toEqual(read());
  });

  it.each([
    ["a type that it does not know", { Bell: { Type: "AWS::SNS::Topic" } }, "Bell", "AWS::SNS::Topic"],
    ["a condition", { Key: { ...resources.Key, Condition: "IsProd" } }, "Key", "Condition"],
    [
      "an unknown function",
      changed("Stage", { StageName: { "Fn::ImportValue": "x" } }),
      "Stage",
      "Fn::ImportValue",
    ],
    ["a reference to nothing", changed("Greet", { Timeout: { Ref: "Bell" } }), "Greet", '"Bell"'],
    [
      "an attribute of nothing",
      changed("Greet", { Timeout: { "Fn::GetAtt": ["Key", "Size"] } }),
      "Greet",
      "Key.Size",
    ],
    ["a name that refers to itself", changed("Slots", { TableName: { Ref: "Slots" } }), "Slots", "itself"],
    [
      "a table property that it does not know",
      changed("Slots", { StreamSpecification: {} }),
      "Slots",
      "StreamSpec",
    ],
    ["code that is no asset", changed("Greet", { Code: { S3Key: "x.zip" } }), "Greet", "x.zip"],
    ["another runtime", changed("Greet", { Runtime: "python3.14" }), "Greet", "Node"],
    ["a role from elsewhere", changed("Greet", { Role: "arn:aws:iam::1:role/x" }), "Greet", "role/x"],
    ["a managed policy from elsewhere", changed("Role", { ManagedPolicyArns: ["arn:x"] }), "Role", "arn:x"],
    ["a permissions boundary", changed("Role", { PermissionsBoundary: "arn:x" }), "Role", "boundaries"],
    [
      "a gateway response's header that is no literal",
      gatewayResponse({ "gatewayresponse.header.Retry-After": "context.error.message" }),
      "Throttled",
      "Retry-After",
    ],
    [
      "a throttle of one method",
      changed("Stage", { MethodSettings: [{ HttpMethod: "GET", ResourcePath: "/*" }] }),
      "Stage",
      "single methods",
    ],
    ["another authorizer", changed("GetScope", { AuthorizationType: "CUSTOM" }), "GetScope", "CUSTOM"],
    ["another integration", changed("GetScope", { Integration: { Type: "MOCK" } }), "GetScope", "MOCK"],
    [
      "a schedule of another form",
      scheduling({ Daily: scheduled("cron(0 3 * * ? *)", false) }),
      "Daily",
      "cron",
    ],
    [
      "a rotation by a function from elsewhere",
      { Sales: schedule({ RotationLambdaARN: "arn:aws:lambda:r:a:function:x" }) },
      "Sales",
      "function:x",
    ],
    ["a hosted rotation", { Sales: schedule({ HostedRotationLambda: {} }) }, "Sales", "HostedRotationLambda"],
    [
      "a missing permission",
      changed("Permission", { SourceArn: "arn:aws:execute-api:r:a:api/v1/GET/x" }),
      "GetScope",
      "not permitted",
    ],
  ])("refuses %s, naming the resource", (_, changes, logicalId, problem) => {
    expect(() => read(changes)).toThrow(TemplateError);
    expect(() => read(changes)).toThrow(`${logicalId}: `);
    expect(() => read(changes)).toThrow(problem);
  });
});
