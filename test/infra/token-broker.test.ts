import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import featureFlags from "aws-cdk-lib/recommended-feature-flags.json" with { type: "json" };
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseScopes, type ScopeDefinitions } from "../../functions/core/scope.ts";
import { TokenBrokerStack } from "../../infra/stack.ts";

const keyArn = "arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const secretArn = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:looker/finance-a1B2c3";
const definition = (secret: ScopeDefinitions[string]["secret"]): ScopeDefinitions[string] => ({
  lookerUrl: "https://example.cloud.looker.com",
  secret,
  callers: ["arn:aws:iam::111122223333:role/report-service"],
  operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
});
const scopes: ScopeDefinitions = {
  sales: definition({ secretName: "looker/sales" }),
  "sales-too": definition({ secretName: "looker/sales" }),
  finance: definition({ secretArn, encryptionKeyArn: keyArn }),
};

interface Statement {
  Sid?: string;
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}
interface CfnResource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
}

let outdir: string;
let template: Template;
let resources: Record<string, CfnResource>;

function synthesize(): string {
  const directory = mkdtempSync(join(tmpdir(), "infra-"));
  const app = new App({ outdir: directory, context: featureFlags, autoSynth: false });
  const stack = new TokenBrokerStack(app, "looker-token-broker", {
    scopes,
    env: { account: "111122223333", region: "eu-central-1" },
  });
  template = Template.fromStack(stack);
  return directory;
}

beforeAll(() => {
  outdir = synthesize();
  resources = template.toJSON().Resources;
});
afterAll(() => rmSync(outdir, { recursive: true }));

const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
const logicalId = (type: string, part = "") => {
  const [found] = ofType(type).filter(([id]) => id.includes(part));
  if (!found) throw new Error(`no ${type} ${part}`);
  return found[0];
};
function statementsOf(functionName: string): Statement[] {
  const [found] = ofType("AWS::IAM::Role").filter(([, { Properties }]) =>
    String(Properties.Description).includes(functionName),
  );
  if (!found) throw new Error(`no role of ${functionName}`);
  const { Policies } = found[1].Properties as { Policies: { PolicyDocument: { Statement: Statement[] } }[] };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

describe("the API", () => {
  it("is regional, has one stage, and never traces data", () => {
    template.hasResourceProperties("AWS::ApiGateway::RestApi", {
      EndpointConfiguration: { Types: ["REGIONAL"] },
    });
    template.resourceCountIs("AWS::ApiGateway::Stage", 1);
    template.hasResourceProperties("AWS::ApiGateway::Stage", {
      StageName: "v1",
      MethodSettings: [{ DataTraceEnabled: false, HttpMethod: "*", ResourcePath: "/*" }],
    });
    template.resourceCountIs("AWS::ApiGateway::Account", 0);
  });

  it("demands AWS_IAM on every method", () => {
    const methods = ofType("AWS::ApiGateway::Method");
    expect(methods.map(([, { Properties }]) => Properties.AuthorizationType)).toEqual(
      Array(7).fill("AWS_IAM"),
    );
  });

  it("may invoke each function by its own methods only, and not from the test page", () => {
    const sources = ofType("AWS::Lambda::Permission").map(([, { Properties }]) => {
      expect(Properties).toMatchObject({
        Action: "lambda:InvokeFunction",
        Principal: "apigateway.amazonaws.com",
      });
      return [JSON.stringify(Properties.FunctionName), JSON.stringify(Properties.SourceArn)];
    });
    expect(sources).toEqual([
      [expect.stringContaining("Operate"), expect.stringContaining("/GET/scopes/*/leases")],
      [expect.stringContaining("Operate"), expect.stringContaining("/DELETE/scopes/*/leases")],
      [expect.stringContaining("Operate"), expect.stringContaining("/PUT/scopes/*/freeze")],
      [expect.stringContaining("Operate"), expect.stringContaining("/DELETE/scopes/*/freeze")],
      [expect.stringContaining("IssueToken"), expect.stringContaining("/POST/scopes/*/token")],
      [expect.stringContaining("Logout"), expect.stringContaining("/POST/scopes/*/logout")],
      [expect.stringContaining("IssueToken"), expect.stringContaining("/GET/scopes")],
    ]);
    expect(JSON.stringify(sources)).not.toContain("test-invoke-stage");
  });
});

describe("the functions", () => {
  it("run on Node 24 on arm64, trace, and end before API Gateway does", () => {
    template.allResourcesProperties("AWS::Lambda::Function", {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
      MemorySize: 512,
      TracingConfig: { Mode: "Active" },
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
    const timeouts = ofType("AWS::Lambda::Function").map(([id, { Properties }]) => [
      id.includes("Sweep"),
      Properties.Timeout,
    ]);
    // API Gateway waits for 29 s; nobody waits for the sweeper, which starts once a minute.
    expect(timeouts.map(String).sort()).toEqual(["false,25", "false,25", "false,25", "true,55"]);
    template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 90 });
  });

  it("know table, key and API by an environment far below Lambda's 4 KB", () => {
    const places = {
      TABLE_NAME: { Ref: logicalId("AWS::DynamoDB::Table") },
      SEALING_KEY_ARN: { "Fn::GetAtt": [logicalId("AWS::KMS::Key"), "Arn"] },
    };
    const api = { API_ID: { Ref: logicalId("AWS::ApiGateway::RestApi") }, API_STAGE: "v1" };
    for (const [id, { Properties }] of ofType("AWS::Lambda::Function")) {
      expect(Properties.Environment).toEqual({
        Variables: id.includes("Sweep") ? places : { ...places, ...api },
      });
      expect(JSON.stringify(Properties.Environment).length).toBeLessThan(1024);
    }
  });

  it("have the checked scopes beside their bundles", () => {
    const assets = readdirSync(outdir).filter((name) => name.startsWith("asset."));
    expect(assets).toHaveLength(4);
    const withScopes = assets.filter((asset) => readdirSync(join(outdir, asset)).includes("scopes.json"));
    // The sweeper has none: a removed scope's leases still end.
    expect(withScopes).toHaveLength(3);
    for (const asset of withScopes) {
      expect(readdirSync(join(outdir, asset)).sort()).toEqual(["index.mjs", "index.mjs.map", "scopes.json"]);
      const written: unknown = JSON.parse(readFileSync(join(outdir, asset, "scopes.json"), "utf8"));
      expect(parseScopes(written)).toEqual(parseScopes(scopes));
    }
  });

  it("have the same asset hashes whenever and wherever they are synthesized", () => {
    const before = template.toJSON();
    const again = synthesize();
    expect(template.toJSON()).toEqual(before);
    rmSync(again, { recursive: true });
  });
});

describe("the roles", () => {
  const rows = () => ({
    Sid: "ReadAndWriteRows",
    Effect: "Allow",
    Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"],
    Resource: { "Fn::GetAtt": [logicalId("AWS::DynamoDB::Table"), "Arn"] },
  });
  const sealing = (...actions: string[]) => ({
    Sid: "UseSealingKey",
    Effect: "Allow",
    Action: actions.length === 1 ? actions[0] : actions,
    Resource: { "Fn::GetAtt": [logicalId("AWS::KMS::Key"), "Arn"] },
  });
  const logs = (part: string) => ({
    Sid: "WriteLogs",
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: { "Fn::GetAtt": [logicalId("AWS::Logs::LogGroup", part), "Arn"] },
  });
  const traces = {
    Sid: "WriteTraces",
    Effect: "Allow",
    Action: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    Resource: "*",
  };

  it("let issue-token use rows, seal and open, and read the scopes' secrets", () => {
    expect(statementsOf("issue-token")).toEqual([
      rows(),
      sealing("kms:Decrypt", "kms:Encrypt"),
      {
        Sid: "ReadScopeSecrets",
        Effect: "Allow",
        Action: "secretsmanager:GetSecretValue",
        Resource: ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:looker/sales-??????", secretArn],
      },
      {
        Sid: "DecryptScopeSecrets0",
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: keyArn,
        Condition: {
          StringEquals: { "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com" },
          StringLike: { "kms:EncryptionContext:SecretARN": [secretArn] },
        },
      },
      logs("IssueToken"),
      traces,
    ]);
  });

  it("let logout use rows and open what is sealed, and no secret", () => {
    expect(statementsOf("logout")).toEqual([rows(), sealing("kms:Decrypt"), logs("Logout"), traces]);
  });

  it("let operate query slots, and sweep the index too, and neither seal nor read a secret", () => {
    const table = { "Fn::GetAtt": [logicalId("AWS::DynamoDB::Table"), "Arn"] };
    const query = (Sid: string, Resource: unknown) => ({
      Sid,
      Effect: "Allow",
      Action: "dynamodb:Query",
      Resource,
    });
    const index = { "Fn::Join": ["", [table, "/index/due"]] };
    expect(statementsOf("operate")).toEqual([
      rows(),
      query("QueryRows", table),
      sealing("kms:Decrypt"),
      logs("Operate"),
      traces,
    ]);
    expect(statementsOf("Runs sweep")).toEqual([
      rows(),
      query("QueryRows", table),
      query("QueryDueRows", index),
      sealing("kms:Decrypt"),
      logs("Sweep"),
      traces,
    ]);
  });

  it("let the scheduler start the sweeper once a minute, without retries, and nothing else", () => {
    const sweep = { "Fn::GetAtt": [logicalId("AWS::Lambda::Function", "Sweep"), "Arn"] };
    template.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: sweep, RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    expect(statementsOf("EventBridge Scheduler")).toEqual([
      { Sid: "StartTheSweeper", Effect: "Allow", Action: "lambda:InvokeFunction", Resource: sweep },
    ]);
  });

  it("grant no action or resource by a bare wildcard, X-Ray's apart, and nothing outside these policies", () => {
    for (const name of ["issue-token", "logout", "operate", "Runs sweep", "EventBridge Scheduler"])
      for (const { Sid, Action, Resource } of statementsOf(name)) {
        expect([Action].flat().filter((action) => action.includes("*"))).toEqual([]);
        if (Sid !== "WriteTraces") expect([Resource].flat()).not.toContain("*");
      }
    template.resourceCountIs("AWS::IAM::Role", 5);
    template.resourceCountIs("AWS::IAM::Policy", 0);
    template.resourceCountIs("AWS::IAM::ManagedPolicy", 0);
    for (const [, { Properties }] of ofType("AWS::IAM::Role"))
      expect(Properties).not.toHaveProperty("ManagedPolicyArns");
  });
});

describe("what is kept", () => {
  it("is a table on demand with TTL and the sparse index, retained", () => {
    template.hasResource("AWS::DynamoDB::Table", {
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
        GlobalSecondaryIndexes: [
          {
            IndexName: "due",
            KeySchema: [
              { AttributeName: "due_shard", KeyType: "HASH" },
              { AttributeName: "due_at", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "KEYS_ONLY" },
          },
        ],
      },
    });
    template.resourceCountIs("AWS::DynamoDB::GlobalTable", 0);
  });

  it("is a sealing key that rotates, retained", () => {
    template.hasResource("AWS::KMS::Key", {
      DeletionPolicy: "Retain",
      Properties: { EnableKeyRotation: true },
    });
    template.hasResourceProperties("AWS::KMS::Alias", { AliasName: "alias/looker-token-broker/sealing-key" });
  });
});

it("tells the endpoint without a trailing slash", () => {
  const { Value } = template.toJSON().Outputs.Endpoint as { Value: unknown };
  expect(JSON.stringify(Value)).toMatch(/Stagev1\w+"\}\]\]\}$/);
});
