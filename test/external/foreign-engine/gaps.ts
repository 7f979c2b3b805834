/**
 * Abilities of AWS, absent from the engine. Some need a change of the template before it is deployed. The others leave a part
 * of the broker unseen here. gaps.test.ts fails as soon as the engine has learned one.
 *
 * Beside these, deploy.ts deletes the policy of the bootstrap's bucket. It refuses http, and the engine is reached by http.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { sealContextKeys } from "../../../functions/contract.ts";
import type { Template } from "../../../local/stack/cloud-assembly.ts";
import { validateAnswer } from "../../support/openapi/document.ts";
import { type Credentials, ServiceError } from "./botocore.ts";
import type { Deployment } from "./deployment.ts";
import { type RoleArn, sessionsOf, statementsOf } from "./written-policies.ts";

type Resources = Template["Resources"];

export interface Gap {
  readonly what: string;
  /** The engine's behaviour, and the part of the broker unseen here. */
  readonly reason: string;
  /** Changes the template before it is deployed. */
  workAround?(resources: Resources): void;
  /** Whether the engine can do it by now. */
  learned?(deployment: Deployment): Promise<boolean>;
  /** Instead of `learned`: the line of `npm run probe` that is a surprise here. */
  readonly probeLine?: string;
}

/** On each answer. */
export const headerOfEngine = "x-amz-request-id";

const queryDefinition = "AWS::Logs::QueryDefinition";

export const gaps: readonly Gap[] = [
  {
    what: `CloudFormation creates ${queryDefinition}`,
    reason: "The engine refuses a template with an unknown type. The saved queries are left out.",
    workAround(resources) {
      for (const [id, { Type }] of Object.entries(resources))
        if (Type === queryDefinition) delete resources[id];
    },
    async learned({ aws }) {
      const Resources = {
        Query: { Type: queryDefinition, Properties: { Name: "all", QueryString: "limit 1" } },
      };
      const parameters = { StackName: "one-query", TemplateBody: JSON.stringify({ Resources }) };
      return !(await refused(
        aws("cloudformation", "CreateStack", parameters),
        /^ValidationError: .*resource types/,
      ));
    },
  },
  {
    what: "a policy's condition sees the encryption context of a call to KMS",
    reason:
      "The engine binds a ciphertext to its context, but policies do not see the context, so the functions' statements " +
      "would allow nothing. Their condition is left out.",
    workAround(resources) {
      for (const statement of statementsOf(resources, "AWS::IAM::Policy", "PolicyDocument"))
        if (JSON.stringify(statement.Condition ?? {}).includes("kms:EncryptionContext"))
          delete statement.Condition;
    },
    async learned({ aws, assumed }) {
      const condition = { StringEquals: { "kms:EncryptionContext:table": "a-table" } };
      const sealer = await assumed("sealer", allow("kms:Encrypt", condition));
      const { KeyMetadata } = await aws("kms", "CreateKey");
      const EncryptionContext = Object.fromEntries(sealContextKeys.map((name) => [name, "a-table"]));
      const parameters = { KeyId: KeyMetadata.KeyId, Plaintext: "text", EncryptionContext };
      const encryptAs = (who: Credentials) => aws("kms", "Encrypt", parameters, who);
      await encryptAs(await assumed("sealer-of-all", allow("kms:Encrypt")));
      return !(await refused(encryptAs(sealer), /^AccessDenied/));
    },
  },
  {
    what: "aws:PrincipalArn of a role's session is the role's ARN",
    reason: "In the engine it is the session's ARN. The key policy names the sessions of the same roles.",
    workAround(resources) {
      for (const { Condition } of statementsOf(resources, "AWS::KMS::Key", "KeyPolicy")) {
        const roles = Condition?.ArnEquals?.["aws:PrincipalArn"];
        if (Condition?.ArnEquals)
          Condition.ArnEquals["aws:PrincipalArn"] = (roles as RoleArn[]).map(sessionsOf);
      }
    },
    async learned({ aws, assumed }) {
      const condition = { ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/by-its-arn" } };
      const session = await assumed("by-its-arn", allow("dynamodb:ListTables", condition));
      const listAs = (who: Credentials) => aws("dynamodb", "ListTables", {}, who);
      await listAs(await assumed("by-any-arn", allow("dynamodb:ListTables")));
      return !(await refused(listAs(session), /^AccessDenied/));
    },
  },
  {
    what: "CloudFormation gives a table its resource policy, and DynamoDB goes by it",
    reason:
      "The engine's CloudFormation drops it, and its DynamoDB does not ask for one, so a wide IAM policy is enough to read the rows.",
    async learned({ aws, assumed, outputs }) {
      const outsider = await assumed("outsider", allow("dynamodb:*"));
      return refused(aws("dynamodb", "Scan", { TableName: outputs.TableName }, outsider), /^AccessDenied/);
    },
  },
  {
    what: "CloudFormation switches a table's time to live on",
    reason:
      "The engine's CloudFormation drops the setting, so rows stay after their end. Its DynamoDB knows the setting.",
    async learned({ aws, outputs }) {
      const { TimeToLiveDescription } = await aws("dynamodb", "DescribeTimeToLive", {
        TableName: outputs.TableName,
      });
      return TimeToLiveDescription.TimeToLiveStatus !== "DISABLED";
    },
  },
  {
    what: "asynchronous settings of $LATEST count for a function without a version",
    reason: "The engine keeps them apart, so the sweeper's own retries are on.",
    async learned({ aws }) {
      const { Functions } = await aws("lambda", "ListFunctions");
      const names: string[] = Functions.map((each: { FunctionName: string }) => each.FunctionName);
      const FunctionName = names.find((name) => name.includes("BrokerSweepFunction"));
      const settings = (more: object) =>
        aws("lambda", "GetFunctionEventInvokeConfig", { FunctionName, ...more });
      expect((await settings({ Qualifier: "$LATEST" })).MaximumRetryAttempts).toBe(0);
      return !(await refused(settings({}), /^ResourceNotFound/));
    },
  },
  {
    what: "a caller of another account reaches the API",
    reason:
      "The engine looks for an API in the caller's account. It judges the API's resource policy for callers of the API's own " +
      "account alone, so what the policy says of others is not seen.",
    async learned({ assumed, send }) {
      const stranger = await assumed("stranger", allow("execute-api:Invoke"), "444455556666");
      return (await send(stranger, "GET", "/scopes")).status !== 404;
    },
  },
  {
    what: "an organisation's service control policy denies a call",
    reason:
      "The engine keeps policies of the organisation and asks none of them, so the guard is judged by test/security/iam alone.",
    async learned({ aws, policiesOf, assumed, send }) {
      const { caller } = await policiesOf("sales");
      const runner = await assumed("governed-service", caller);
      const { Organization } = await aws("organizations", "DescribeOrganization");
      const control = { Type: "SERVICE_CONTROL_POLICY", Name: "no-tokens", Description: "Denies all" };
      const Content = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Action: "execute-api:Invoke", Resource: "*" }],
      });
      const { Policy } = await aws("organizations", "CreatePolicy", { ...control, Content });
      const attachment = { PolicyId: Policy.PolicySummary.Id, TargetId: Organization.MasterAccountId };
      await aws("organizations", "AttachPolicy", attachment);
      const { status } = await send(runner, "GET", "/scopes");
      await aws("organizations", "DetachPolicy", attachment);
      return status !== 200;
    },
  },
  {
    what: "a stage writes access logs",
    reason: "The engine drops the stage's setting, so the log group stays empty.",
    async learned({ aws, assumed, send, apiId, outputs }) {
      await send(await assumed("unknown-to-the-broker"), "GET", "/scopes");
      const stage = await aws("apigateway", "GetStage", { restApiId: apiId, stageName: "v1" });
      if (stage.accessLogSettings?.destinationArn !== undefined) return true;
      return appears(async () => {
        const { events } = await aws("logs", "FilterLogEvents", { logGroupName: outputs.AccessLogGroup });
        return events.length > 0;
      });
    },
  },
  {
    what: "numbers in a function's records become metrics",
    reason: "The engine has no embedded metric format, so no alarm rings and the dashboard is empty.",
    async learned({ aws, policiesOf, assumed, send }) {
      const { caller } = await policiesOf("sales");
      await send(await assumed("nightly-job", caller), "GET", "/scopes");
      return metricAppears(aws, { Namespace: "LookerTokenBroker" });
    },
  },
  {
    what: "a metric filter makes metrics of log lines",
    reason:
      "The engine keeps the filter and counts nothing, so the alarm on throttled requests does not ring.",
    async learned({ aws, outputs }) {
      const stream = { logGroupName: outputs.AccessLogGroup, logStreamName: "written-by-the-test" };
      const { metricFilters } = await aws("logs", "DescribeMetricFilters", {
        logGroupName: outputs.AccessLogGroup,
      });
      const [, broker] = /\$\.broker = "([^"]+)"/.exec(metricFilters[0].filterPattern) ?? [];
      const message = JSON.stringify({ broker, error: "THROTTLED" });
      await aws("logs", "CreateLogStream", stream);
      await aws("logs", "PutLogEvents", { ...stream, logEvents: [{ timestamp: Date.now(), message }] });
      return metricAppears(aws, { MetricName: "GatewayThrottles" });
    },
  },
  {
    what: "API Gateway's refusals have the form of API Gateway",
    reason:
      "The engine refuses in the form of its other services: another content type, and `__type` in the body.",
    async learned({ assumed, send }) {
      const { status, headers, text } = await send(await assumed("without-a-policy"), "GET", "/scopes");
      const { [headerOfEngine]: _, ...rest } = headers;
      return validateAnswer("GET", "/scopes", status, rest, text).length === 0;
    },
  },
  {
    what: "a denial by an identity's policy names the resource",
    reason: "The engine leaves the resource out. It names it in a denial by the API's own policy.",
    async learned({ assumed, send }) {
      const { text } = await send(await assumed("denied-by-nobody"), "GET", "/scopes");
      return text.includes(" on resource: arn:aws:execute-api:");
    },
  },
  {
    what: "answers have API Gateway's headers alone",
    reason: `The engine adds ${headerOfEngine}, which the tests of answers leave out.`,
    async learned({ assumed, send }) {
      const { headers } = await send(await assumed("reader-of-headers"), "GET", "/scopes");
      return !(headerOfEngine in headers);
    },
  },
  {
    what: "a function without free concurrency is a failure of the integration",
    reason:
      "The engine answers 429 with Lambda's own error. API Gateway answers as for each failed integration.",
    async learned({ aws, policiesOf, assumed, send, outputs }) {
      const FunctionName = outputs.IssueTokenFunction;
      const { caller } = await policiesOf("sales");
      const runner = await assumed("throttled-service", caller);
      await aws("lambda", "PutFunctionConcurrency", { FunctionName, ReservedConcurrentExecutions: 0 });
      const { status } = await send(runner, "GET", "/scopes");
      await aws("lambda", "DeleteFunctionConcurrency", { FunctionName });
      return status !== 429;
    },
  },
  {
    what: "API Gateway needs a permission to invoke a function",
    reason: "The engine does not ask for one, so too narrow a permission is not seen.",
    async learned({ aws, policiesOf, assumed, send, outputs }) {
      const FunctionName = outputs.IssueTokenFunction;
      const { caller } = await policiesOf("sales");
      const runner = await assumed("permitted-service", caller);
      const { Policy } = await aws("lambda", "GetPolicy", { FunctionName });
      for (const { Sid: StatementId } of JSON.parse(Policy).Statement)
        await aws("lambda", "RemovePermission", { FunctionName, StatementId });
      return (await send(runner, "GET", "/scopes")).status !== 200;
    },
  },
  {
    what: "a signature counts for one service only",
    reason: "The engine does not compare the signature's service with its own.",
    probeLine: "a signature of another service",
  },
];

const allow = (Action: string, Condition?: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: "*", ...(Condition && { Condition }) }],
  });

/** Log lines and metrics come a while after their cause. Whether this one came in a few seconds. */
async function appears(seen: () => Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + 3_000; Date.now() < end; await sleep(250)) if (await seen()) return true;
  return false;
}

const metricAppears = (aws: Deployment["aws"], filter: object) =>
  appears(async () => (await aws("cloudwatch", "ListMetrics", filter)).Metrics.length > 0);

/** Whether AWS refused the call for this reason. Any other failure is a mistake of the test. */
async function refused(call: Promise<unknown>, reason: RegExp): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (error instanceof ServiceError && reason.test(error.message)) return true;
    throw error;
  }
}
