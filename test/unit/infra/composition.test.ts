/** A broker in other people's apps: several in a stack, in a stage, in several regions, without a known environment. */
import { App, type Environment, Stack, Stage } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { Guard, type ScopeDefinitions, ScopeOutputs, TokenBroker } from "../../../infra/index.ts";

const account = "111122223333";
const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const scopes = {
  sales: {
    lookerUrl: "https://example.cloud.looker.com",
    secret: { secretName: "looker/sales" },
    callers: [role("report-service")],
    operators: [role("oncall")],
  },
} satisfies ScopeDefinitions;

function addBroker(stack: Stack, id: string): TokenBroker<"sales"> {
  const broker = new TokenBroker(stack, id, { scopes });
  new ScopeOutputs(stack, `${id}Scopes`, broker);
  new Guard(stack, `${id}Guard`, broker, { pipelineArns: [role("deploy")] });
  return broker;
}

const resources = (stack: Stack) =>
  Object.values<{ Type: string; Properties?: Record<string, unknown> }>(
    Template.fromStack(stack).toJSON().Resources,
  );

/** Names that somebody chose: AWS refuses the second resource of the same. */
function physicalNames(stack: Stack): string[] {
  const naming = ["AliasName", "Name", "DashboardName", "AlarmName", "FunctionName", "TableName", "RoleName"];
  return resources(stack).flatMap(({ Type, Properties = {} }) =>
    naming
      .filter((property) => typeof Properties[property] === "string")
      .map((property) => `${Type} ${Properties[property]}`),
  );
}

describe("two brokers in one stack", () => {
  const stack = new Stack(new App(), "apps", { env: { account, region: "eu-west-1" } });
  const brokers = [addBroker(stack, "Sales"), addBroker(stack, "People")];

  it("share no name", () => {
    const names = physicalNames(stack);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("share no metric: the name of each is its path", () => {
    expect(brokers.map(({ name }) => name)).toEqual(["apps/Sales", "apps/People"]);
    expect(names(brokers[0] as TokenBroker)).not.toEqual(names(brokers[1] as TokenBroker));
  });
  const names = (broker: TokenBroker) => broker.metricMints().dimensions;
});

it("a broker in a stage has the stage in its name, so test and production fit into one account", () => {
  const app = new App();
  const [test, production] = ["Test", "Production"].map((id) => {
    const stack = new Stack(new Stage(app, id), "looker", { env: { account, region: "eu-west-1" } });
    addBroker(stack, "Broker");
    return physicalNames(stack);
  }) as [string[], string[]];
  expect(test).toContain("AWS::KMS::Alias alias/Test/looker/Broker/sealing-key");
  expect(test.filter((name) => production.includes(name))).toEqual([]);
  expect(app.synth().nestedAssemblies).toHaveLength(2);
});

it("brokers of several regions in one app name their own region alone", () => {
  const app = new App();
  const regions = ["us-east-1", "eu-central-1"];
  const stacks = regions.map((region) => {
    const stack = new Stack(app, `looker-${region}`, { env: { account, region } });
    addBroker(stack, "Broker");
    return stack;
  });
  const [one, other] = stacks.map((stack) => resources(stack).map(({ Type }) => Type));
  expect(one).toEqual(other);
  for (const stack of stacks) {
    const text = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(regions.filter((each) => text.includes(`:${each}:`))).toEqual([stack.region]);
  }
});

describe("a stack that does not know its environment", () => {
  it.each<[string, Environment | undefined]>([
    ["neither account nor region", undefined],
    ["its region alone", { region: "eu-west-1" }],
    ["its account alone", { account }],
  ])("and knows %s is synthesized, and leaves the rest to CloudFormation", (_, env) => {
    const stack = new Stack(new App(), "looker", env && { env });
    const { endpoint } = addBroker(stack, "Broker");
    const text = JSON.stringify(stack.resolve(endpoint));
    expect(text.includes("AWS::Region")).toBe(env?.region === undefined);
    expect(text).not.toContain("undefined");
    expect(resources(stack).filter(({ Type }) => Type === "AWS::Lambda::Function")).toHaveLength(5);
  });
});

it.each(["a.b", "a b", 'a"b', "ü"])("a path that AWS takes in no name is refused: %s", (id) => {
  const stack = new Stack(new App(), "looker", { env: { account, region: "eu-west-1" } });
  expect(() => new TokenBroker(stack, id, { scopes })).toThrow(
    `the construct's path ${JSON.stringify(`looker/${id}`)} is the broker's name in metrics, in its key's alias and in its parameters: at most 200 of A-Z, a-z, 0-9, _, - and /`,
  );
});
