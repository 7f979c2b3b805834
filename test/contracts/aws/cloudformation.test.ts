import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCloudFormation } from "../../../local/aws/cloudformation.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import type { Listening } from "../../../local/loopback.ts";
import { ACCOUNT, errorOf, REGION } from "../../support/contracts/aws-under-test.ts";

/** What XML would change: signs of its own, an edge of spaces, a line's end. */
const awkward = ' <a href="x">&amp;</a>\r\n';
const resources = Array.from({ length: 230 }, (_, n) => ({
  logicalId: `Resource${n}`,
  type: "AWS::Logs::QueryDefinition",
  ...(n === 0 ? {} : { physicalId: `id-${n}` }),
}));
let endpoint = "http://before";
let service: Listening;
let client: CloudFormationClient;
beforeAll(async () => {
  service = await startCloudFormation({
    stack: { name: "broker", resources },
    location: { partition: "aws", region: REGION, accountId: ACCOUNT },
    outputs: () => [
      { key: "Endpoint", value: endpoint },
      { key: "Policy", value: awkward, description: "a policy" },
    ],
  });
  client = new CloudFormationClient({
    endpoint: service.url,
    region: REGION,
    credentials: ENGINE_CREDENTIAL,
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client?.destroy();
  await service?.close();
});

it("describes the stack with its outputs as they are now, by name, by id and unnamed", async () => {
  endpoint = "http://now";
  const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: "broker" }));
  expect(stack).toMatchObject({
    StackName: "broker",
    StackStatus: "CREATE_COMPLETE",
    Outputs: [
      { OutputKey: "Endpoint", OutputValue: "http://now" },
      { OutputKey: "Policy", OutputValue: awkward, Description: "a policy" },
    ],
  });
  for (const StackName of [stack?.StackId, undefined])
    expect((await client.send(new DescribeStacksCommand({ StackName }))).Stacks).toEqual([stack]);
});

it("lists all resources, a hundred a page", async () => {
  const pages = [];
  for await (const page of paginateListStackResources({ client }, { StackName: "broker" }))
    pages.push(page.StackResourceSummaries ?? []);
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 30]);
  expect(pages.flat().map((each) => [each.LogicalResourceId, each.PhysicalResourceId])).toEqual(
    resources.map(({ logicalId, physicalId }) => [logicalId, physicalId]),
  );
});

it("says of another stack that it does not exist", async () => {
  const error = await errorOf(client.send(new DescribeStacksCommand({ StackName: "other" })));
  expect([error.name, error.message, error.$metadata.httpStatusCode]).toEqual([
    "ValidationError",
    "Stack with id other does not exist",
    400,
  ]);
});
