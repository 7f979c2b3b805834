/** A command in a container, every night at three: EventBridge Scheduler → Fargate, with a broker that is deployed elsewhere. */
import { Duration, TimeZone } from "aws-cdk-lib";
import { type ContainerImage, FargateTaskDefinition, type ICluster, LogDrivers } from "aws-cdk-lib/aws-ecs";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Schedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { EcsRunFargateTask } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import { CallerRole } from "../iam/caller-role.ts";

export interface ScheduledTaskProps {
  readonly cluster: ICluster;
  /** With the job's command, and `looker-token` from `npm install --global @looker-token-broker/cli`. */
  readonly image: ContainerImage;
  /** Both as the broker's deployment printed them: https://….amazonaws.com/v1 and arn:aws:execute-api:…/v1. */
  readonly endpoint: string;
  readonly api: string;
}

export class ScheduledTask extends Construct {
  constructor(parent: Construct, id: string, { cluster, image, endpoint, api }: ScheduledTaskProps) {
    super(parent, id);
    const taskDefinition = new FargateTaskDefinition(this, "Task", {
      // The scope's `callers` name it.
      taskRole: new CallerRole(this, "Role", {
        roleName: "nightly-export",
        assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
        api,
        scope: "sales",
      }),
    });
    taskDefinition.addContainer("Job", {
      image,
      // One word more than the job alone. It reads the token from $LOOKER_ACCESS_TOKEN.
      command: ["looker-token", "exec", "--scope", "sales", "--", "/opt/reports/nightly-report.sh"],
      environment: { LOOKER_BROKER_ENDPOINT: endpoint },
      logging: LogDrivers.awsLogs({ streamPrefix: "nightly-export" }),
    });

    new Schedule(this, "Schedule", {
      schedule: ScheduleExpression.cron({ minute: "0", hour: "3", timeZone: TimeZone.EUROPE_BERLIN }),
      target: new EcsRunFargateTask(cluster, { taskDefinition, maxEventAge: Duration.hours(1) }),
    });
  }
}
