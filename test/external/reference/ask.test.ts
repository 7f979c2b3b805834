/**
 * AWS's own command line asks the local run's CloudFormation and CloudWatch Logs. And `looker-token` asks moto's CloudFormation
 * and CloudWatch. moto has no saved queries.
 */
import { execFile } from "node:child_process";
import { CloudFormationClient, CreateStackCommand, DeleteStackCommand } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alarmsOf } from "../../../cli/src/deployment/alarms.ts";
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
  ])("a caller without the auditor's policy may not: %s %s", async (...args) => {
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
  beforeAll(async () => {
    moto = await startMoto();
    client = new CloudFormationClient({ endpoint: moto.url, region, credentials: ENGINE_CREDENTIAL });
    const template = {
      Resources: { Topic: { Type: "AWS::SNS::Topic" } },
      Outputs: { Endpoint: { Value: "https://abc123.execute-api.us-east-1.amazonaws.com/v1" } },
    };
    await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
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

  test("status names the parts without an answer, and shows the others", async () => {
    const { exitCode, out } = await cli().run("status", "--stack", StackName, "--json");
    const { wrong, findings, unseen } = JSON.parse(out);
    expect([exitCode, wrong, findings]).toEqual([0, false, []]);
    expect(unseen.map(({ what }: { what: string }) => what)).toEqual([
      "leases, freezes and accounts",
      "records",
    ]);
  }, 120_000);

  test("of all alarms only those of the stack that are on are found, a hundred names at once", async () => {
    const cloudWatch = new CloudWatchClient({ endpoint: moto.url, region, credentials: ENGINE_CREDENTIAL });
    const names = Array.from({ length: 120 }, (_, n) => `alarm-${n}`);
    for (const AlarmName of [...names, "of-others"])
      await cloudWatch.send(
        new PutMetricAlarmCommand({
          AlarmName,
          AlarmDescription: "What: it. Do: that. Runbook: docs/how-to/runbook.md#mint-rate",
          ComparisonOperator: "GreaterThanThreshold",
          EvaluationPeriods: 1,
          MetricName: "LoginAttempts",
          Namespace: "broker",
          Period: 60,
          Statistic: "Sum",
          Threshold: 1,
        }),
      );
    for (const AlarmName of ["alarm-3", "alarm-110", "of-others"])
      await cloudWatch.send(
        new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "a test" }),
      );
    cloudWatch.destroy();
    const place = {
      ...{ stack: StackName, isLocal: false, region, endpoint: moto.url },
      credentials: async () => ENGINE_CREDENTIAL,
    };
    const { on, missing } = await alarmsOf(place, [...names, "deleted"], new AbortController().signal);
    expect(
      on.map(({ name, description, since }) => [name, description.slice(-10), since instanceof Date]),
    ).toEqual([
      ["alarm-3", "#mint-rate", true],
      ["alarm-110", "#mint-rate", true],
    ]);
    expect(missing).toEqual(["deleted"]);
  }, 120_000);

  test("an operation that moto lacks is a failure of AWS, and not a defect", async () => {
    const { exitCode, err } = await cli().run("ask", "--stack", StackName);
    expect([exitCode, err]).toEqual([4, expect.stringContaining("AWS did not answer as expected")]);
  });
});
