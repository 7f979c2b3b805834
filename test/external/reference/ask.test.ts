/**
 * AWS's own command line asks the local run's CloudFormation and CloudWatch Logs. And `looker-token` asks moto's CloudFormation,
 * as far as moto goes: it has no saved queries.
 */
import { execFile } from "node:child_process";
import { CloudFormationClient, CreateStackCommand, DeleteStackCommand } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import { callerOf, sharedStand, untilSeen } from "../../support/broker-stand.ts";
import { Command } from "../../support/cli/command.ts";
import { type RunningMoto, startMoto } from "./moto.ts";
import { tool } from "./tools.ts";

describe("the aws CLI at the local run", () => {
  const stand = sharedStand();

  async function aws(...args: string[]) {
    return await awsAs("platform-engineer", ...args);
  }

  async function awsAs(name: string, ...args: string[]) {
    const { principal } = callerOf(stand, name);
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: stand.workDir,
      AWS_DEFAULT_REGION: stand.broker.region,
      AWS_ACCESS_KEY_ID: principal.accessKeyId,
      AWS_SECRET_ACCESS_KEY: principal.secretAccessKey,
      AWS_SESSION_TOKEN: principal.sessionToken,
      AWS_ENDPOINT_URL: stand.broker.awsProxy.url,
      AWS_MAX_ATTEMPTS: "1",
    };
    return await new Promise<{ out: string; err: string }>((resolve) =>
      execFile(tool("aws"), [...args, "--output", "json"], { env, maxBuffer: 2 ** 26 }, (_, out, err) =>
        resolve({ out, err }),
      ),
    );
  }
  const json = async (...args: string[]) => {
    const { out, err } = await aws(...args);
    expect(err).toBe("");
    return JSON.parse(out);
  };

  test("describes the stack, with the local endpoint in its outputs", async () => {
    const { Stacks } = await json(
      "cloudformation",
      "describe-stacks",
      "--stack-name",
      stand.broker.stack.name,
    );
    expect(Stacks).toHaveLength(1);
    expect(Stacks[0].Outputs).toContainEqual(
      expect.objectContaining({ OutputKey: "Endpoint", OutputValue: stand.broker.endpoint }),
    );
  });

  test("lists every resource of the template, over all pages", async () => {
    const { StackResourceSummaries: all } = await json(
      "cloudformation",
      "list-stack-resources",
      "--stack-name",
      stand.broker.stack.name,
    );
    expect(all).toHaveLength(stand.broker.stack.resources.length);
    expect(
      all.filter((each: { ResourceType: string }) => each.ResourceType === "AWS::Logs::QueryDefinition"),
    ).toHaveLength(savedQueries.length);
  });

  test("finds the saved queries, and runs one over the functions' records", async () => {
    await callerOf(stand, "report-service").token("sales");
    const { queryDefinitions } = await json("logs", "describe-query-definitions");
    const [saved] = queryDefinitions.filter(({ name }: { name: string }) =>
      name.endsWith("/who-holds-tokens-now"),
    );
    const now = Math.ceil(Date.now() / 1_000);
    const { queryId } = await json(
      ...["logs", "start-query", "--log-group-names", ...saved.logGroupNames],
      ...["--query-string", saved.queryString, "--start-time", String(now - 600), "--end-time", String(now)],
    );
    const { results } = await untilSeen(
      async () => {
        const answer = await json("logs", "get-query-results", "--query-id", queryId);
        return answer.status === "Complete" && answer;
      },
      "the answer",
      60_000,
    );
    expect(results).toEqual([
      expect.arrayContaining([
        { field: "scope", value: "sales" },
        { field: "holder", value: "arn:aws:iam::111122223333:role/report-service" },
        { field: "@ptr", value: expect.any(String) },
      ]),
    ]);
  });

  test.each([
    [["cloudformation", "describe-stacks", "--stack-name", "other"], "(AccessDenied)", "DescribeStacks"],
    [["logs", "get-query-results", "--query-id", "other"], "(ResourceNotFoundException)", "GetQueryResults"],
    [
      [
        ...["logs", "start-query", "--log-group-names", "/other", "--query-string", "display x"],
        ...["--start-time", "1", "--end-time", "2"],
      ],
      "(ResourceNotFoundException)|(AccessDeniedException)",
      "StartQuery",
    ],
  ])("is refused as by AWS: %j", async (args, name, operation) => {
    expect((await aws(...args)).err).toMatch(
      new RegExp(
        `An error occurred (?:${name.replace(/[()]/g, "\\$&")}) when calling the ${operation} operation`,
      ),
    );
  });

  test.each([
    ["cloudformation", "list-stack-resources", "--stack-name", "looker-token-broker"],
    ["logs", "describe-query-definitions"],
  ])("a caller who is no auditor may not: %s %s", async (...args) => {
    expect((await awsAs("report-service", ...args)).err).toMatch(
      /An error occurred \(AccessDenied(?:Exception)?\).*role\/report-service.* is not authorized to perform/,
    );
  });
});

describe("looker-token at moto", () => {
  let moto: RunningMoto;
  let client: CloudFormationClient;
  const region = "us-east-1";
  const StackName = "broker-of-moto";
  const alarm = (name: string, anchor: string) => ({
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${StackName}-BrokerAlarms${name}1A2B3C4D-5E6F7A8B9C0D`,
      AlarmDescription: `What: it. Do: that. Runbook: docs/how-to/runbook.md#${anchor}`,
      ComparisonOperator: "GreaterThanThreshold",
      EvaluationPeriods: 1,
      MetricName: "LoginAttempts",
      Namespace: "broker",
      Period: 60,
      Statistic: "Sum",
      Threshold: 1,
    },
  });
  beforeAll(async () => {
    moto = await startMoto();
    client = new CloudFormationClient({ endpoint: moto.url, region, credentials: ENGINE_CREDENTIAL });
    const template = {
      Resources: {
        BrokerAlarmsMintRate1A2B3C4D: alarm("MintRate", "mint-rate"),
        BrokerAlarmsSweepLag1A2B3C4D: alarm("SweepLag", "sweeper-stopped"),
      },
      Outputs: { Endpoint: { Value: "https://abc123.execute-api.us-east-1.amazonaws.com/v1" } },
    };
    await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
    const cloudWatch = new CloudWatchClient({ endpoint: moto.url, region, credentials: ENGINE_CREDENTIAL });
    const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({}));
    const AlarmName = MetricAlarms.find((each) => each.AlarmName?.includes("MintRate"))?.AlarmName;
    await cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "a test" }),
    );
    cloudWatch.destroy();
  }, 120_000);
  afterAll(async () => {
    await client?.send(new DeleteStackCommand({ StackName })).catch(() => undefined);
    client?.destroy();
    await moto?.close();
  });
  const cli = () =>
    new Command(process.env.TMPDIR ?? "/tmp", {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "example-secret",
      AWS_ENDPOINT_URL: moto.url,
      AWS_MAX_ATTEMPTS: "1",
    });

  test("--stack finds the endpoint in the stack's outputs", async () => {
    const { out } = await cli().run("doctor", "--stack", StackName, "--json");
    const [, endpoint] = JSON.parse(out).checks;
    expect(endpoint.found).toContain(
      "https://abc123.execute-api.us-east-1.amazonaws.com/v1 from the stack broker-of-moto.",
    );
  });

  test("so does LOOKER_BROKER_STACK", async () => {
    const { out } = await cli().with({ LOOKER_BROKER_STACK: StackName }).run("doctor", "--json");
    expect(JSON.parse(out).checks[1].found).toContain(
      "https://abc123.execute-api.us-east-1.amazonaws.com/v1",
    );
  });

  test("a stack that is not there is told by its name and region", async () => {
    const { exitCode, err } = await cli().run("ask", "--stack", "none");
    expect([exitCode, err]).toEqual([
      2,
      expect.stringContaining("There is no stack none in us-east-1 of this account."),
    ]);
  });

  test("status tells of an alarm that is on, says what it cannot see, and goes on", async () => {
    const { exitCode, out } = await cli().run("status", "--stack", StackName, "--json");
    const { wrong, findings, unseen } = JSON.parse(out);
    expect([exitCode, wrong]).toEqual([0, true]);
    expect(findings).toEqual([
      {
        what: "alarm",
        subject: "MintRate",
        text: "is on",
        since: expect.any(String),
        wrong: true,
        runbook: "mint-rate",
      },
    ]);
    expect(unseen.map(({ what }: { what: string }) => what)).toEqual([
      "leases, freezes and accounts",
      "records",
    ]);
  }, 120_000);

  test("what moto lacks is told as a failure of AWS, and not as a defect", async () => {
    const { exitCode, err } = await cli().run("ask", "--stack", StackName);
    expect([exitCode, err]).toEqual([4, expect.stringContaining("AWS did not answer as expected")]);
  });
});
