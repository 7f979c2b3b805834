/** CloudWatch Logs and CloudFormation behind the AWS proxy: signatures, rights, faults and the log of calls. */
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient, DescribeQueryDefinitionsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type AwsProxy, startAwsProxy } from "../../../../local/aws/aws-proxy.ts";
import type { RoleCredential } from "../../../../local/aws/call.ts";
import { startCloudFormation } from "../../../../local/aws/cloudformation.ts";
import { startLogs } from "../../../../local/aws/logs.ts";
import type { Listening } from "../../../../local/loopback.ts";
import { ACCOUNT, errorOf, ISSUE, REGION } from "../../../support/contracts/aws-under-test.ts";

let services: Listening[];
let proxy: AwsProxy;
beforeAll(async () => {
  const location = { partition: "aws", region: REGION, accountId: ACCOUNT };
  const stack = { name: "broker", resources: [] };
  const [logs, cloudFormation] = await Promise.all([
    startLogs({ accountId: ACCOUNT, groups: { events: () => undefined }, savedQueries: [] }),
    startCloudFormation({ stack, location, outputs: () => [] }),
  ]);
  services = [logs, cloudFormation];
  const nowhere = "http://127.0.0.1:9";
  proxy = await startAwsProxy({
    region: REGION,
    credentials: { find: (id) => (id === ISSUE.accessKeyId ? ISSUE : undefined) },
    engines: {
      ...{ dynamodb: nowhere, secretsmanager: nowhere, kms: nowhere },
      ...{ logs: logs.url, cloudformation: cloudFormation.url },
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  for (const service of services ?? []) await service.close();
});
beforeEach(() => {
  proxy.setAuthorize(undefined);
  proxy.setFault(undefined);
  proxy.clearCalls();
});

const settings = (credentials: RoleCredential) => ({
  endpoint: proxy.url,
  region: REGION,
  credentials,
  maxAttempts: 1,
});
const listQueries = (credentials: RoleCredential = ISSUE) =>
  new CloudWatchLogsClient(settings(credentials)).send(new DescribeQueryDefinitionsCommand({}));
const describeStack = (credentials: RoleCredential = ISSUE) =>
  new CloudFormationClient(settings(credentials)).send(new DescribeStacksCommand({ StackName: "broker" }));
const refusals = (credentials?: RoleCredential) =>
  Promise.all(
    [listQueries(credentials), describeStack(credentials)].map(async (asked) => {
      const { name, message, $metadata } = await errorOf(asked);
      return [name, $metadata.httpStatusCode, message];
    }),
  );

it("calls with a right signature are answered, and logged without values of the body", async () => {
  await listQueries();
  await describeStack();
  expect(
    proxy.calls().map(({ service, operation, resources, status }) => [service, operation, resources, status]),
  ).toEqual([
    ["logs", "DescribeQueryDefinitions", [], 200],
    ["cloudformation", "DescribeStacks", ["broker"], 200],
  ]);
});

it("a wrong secret and an unknown key are refused in the words of each service", async () => {
  expect((await refusals({ ...ISSUE, secretAccessKey: "wrong" })).map((each) => each.slice(0, 2))).toEqual([
    ["InvalidSignatureException", 400],
    ["SignatureDoesNotMatch", 403],
  ]);
  expect((await refusals({ ...ISSUE, accessKeyId: "ASIAUNKNOWN" })).map((each) => each.slice(0, 2))).toEqual([
    ["UnrecognizedClientException", 400],
    ["InvalidClientTokenId", 403],
  ]);
});

it("a form without a signature is refused, so no page of a browser asks for anything", async () => {
  const body = new URLSearchParams({ Action: "DescribeStacks", Version: "2010-05-15" });
  const answer = await fetch(proxy.url, { method: "POST", body });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([403, "text/xml"]);
  expect(await answer.text()).toContain("<Code>MissingAuthenticationToken</Code>");
  expect(proxy.calls()).toMatchObject([{ operation: "DescribeStacks", principalArn: "", status: 403 }]);
});

it("a caller without a right is refused, with its session and the resource", async () => {
  proxy.setAuthorize(() => ({ allow: false, reason: "a test" }));
  expect(await refusals()).toEqual([
    [
      "AccessDeniedException",
      400,
      expect.stringContaining(
        `${ISSUE.sessionArn} is not authorized to perform: logs:DescribeQueryDefinitions`,
      ),
    ],
    [
      "AccessDenied",
      403,
      expect.stringContaining(
        `cloudformation:DescribeStacks on resource: arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/broker/*`,
      ),
    ],
  ]);
});

it.each([
  ["throttle", "ThrottlingException", "Throttling"],
  ["unavailable", "ServiceUnavailableException", "ServiceUnavailable"],
] as const)("a fault %s has the name that each service gives it", async (fault, ofLogs, ofCloudFormation) => {
  proxy.setFault(() => ({ throw: fault }));
  expect((await refusals()).map(([name]) => name)).toEqual([ofLogs, ofCloudFormation]);
  expect(
    proxy
      .calls()
      .map(({ errorType }) => errorType)
      .sort(),
  ).toEqual([ofCloudFormation, ofLogs].sort());
});

it("an error of the service itself is logged by its name, from XML too", async () => {
  const client = new CloudFormationClient(settings(ISSUE));
  await errorOf(client.send(new DescribeStacksCommand({ StackName: "other" })));
  expect(proxy.calls()).toMatchObject([{ status: 400, errorType: "ValidationError" }]);
});
