/** examples/scheduled-job: the crontab's line as cron runs it, and the ECS task as CDK writes it. */
import { readFileSync } from "node:fs";
import { App, Stack } from "aws-cdk-lib";
import { Cluster, ContainerImage, type ICluster } from "aws-cdk-lib/aws-ecs";
import { beforeAll, expect, test } from "vitest";
import { ScheduledTask } from "../../../examples/scheduled-job/scheduled-task.ts";
import { leaksIn, sharedStand } from "../../support/broker-stand.ts";
import { buildCommand, commandsOf, environmentOf, recipe, start } from "../../support/recipe.ts";
import { region, synthesizedHere } from "../../support/synthesized.ts";
import { cellsOf, policiesOf, resourceOf, scopeOutputs } from "./policies.ts";

const stand = sharedStand();

let lookerToken: string;

beforeAll(() => {
  lookerToken = buildCommand();
});

/** The machine's own place for the job, by the repository's. */
const placed = (command: string) => command.replaceAll("/opt/reports", recipe("scheduled-job"));

test("cron's job asks Looker with its role's token, and leaves that to others", async () => {
  const lines = readFileSync(recipe("scheduled-job/crontab"), "utf8").split("\n");
  const command = /^0 3 \* \* \* (.+)$/.exec(lines.findLast(Boolean) ?? "")?.[1] ?? "";
  expect(command).not.toBe("");
  const bin = commandsOf(stand, { "looker-token": { linkTo: lookerToken } });
  const env = environmentOf(stand, "nightly-job");
  // cron gives the rest of the line to sh.
  const { ended } = start("/bin/sh", ["-c", placed(command)], {
    cwd: stand.workDir,
    env: { ...env, PATH: `${bin}:${env.PATH}` },
  });
  const { exitCode, out, err } = await ended;
  expect([exitCode, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({ display_name: expect.any(String) });
  expect(leaksIn(out, stand.secrets)).toBe(0);

  expect(stand.looker.ledger().map(({ event }) => event)).toEqual(["login", "api"]);
});

test("the ECS task runs that job every night, with a role that has what the hand-out says, and nothing else", () => {
  const { stack: broker } = synthesizedHere();
  const { endpoint, api, policy } = scopeOutputs(broker, "sales");
  const stack = new Stack(new App(), "Jobs", { env: { account: "444455556666", region } });
  // CDK's own types are at odds under exactOptionalPropertyTypes.
  const cluster = new Cluster(stack, "Cluster") as ICluster;
  const image = ContainerImage.fromRegistry("444455556666.dkr.ecr.us-east-1.amazonaws.com/reports");
  new ScheduledTask(stack, "Nightly", { cluster, image, endpoint, api });

  const role = resourceOf(stack, "AWS::IAM::Role", "NightlyRole");
  expect(role.RoleName).toBe("nightly-export");
  expect(cellsOf(policiesOf(stack, role))).toEqual(cellsOf([policy]));

  const task = resourceOf(stack, "AWS::ECS::TaskDefinition");
  expect(task).toMatchObject({
    TaskRoleArn: `${role.id}.Arn`,
    ContainerDefinitions: [
      {
        Command: ["looker-token", "exec", "--scope", "sales", "--", "/opt/reports/nightly-report.sh"],
        Environment: [{ Name: "LOOKER_BROKER_ENDPOINT", Value: endpoint }],
      },
    ],
  });
  expect(resourceOf(stack, "AWS::Scheduler::Schedule")).toMatchObject({
    ScheduleExpression: "cron(0 3 * * ? *)",
    Target: { EcsParameters: { TaskDefinitionArn: task.id, LaunchType: "FARGATE" } },
  });
});
