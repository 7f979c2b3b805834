/** Starts the sweeper once a minute. */

import { Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";

export class SweepSchedule extends Construct {
  readonly schedule: CfnSchedule;

  constructor(scope: Construct, id: string, target: IFunction) {
    super(scope, id);
    const role = new Role(this, "Role", {
      description: "Lets EventBridge Scheduler start the Looker token broker's sweeper",
      // Against the confused deputy: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
      inlinePolicies: {
        invoke: new PolicyDocument({
          statements: [
            new PolicyStatement({
              sid: "StartTheSweeper",
              actions: ["lambda:InvokeFunction"],
              resources: [target.functionArn],
            }),
          ],
        }),
      },
    });
    this.schedule = new CfnSchedule(this, "Schedule", {
      description: "Ends what is due: revoked tokens, ended leases, unfinished revocations",
      scheduleExpression: "rate(1 minute)",
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        // The next minute is the retry; a run that is late is of no use beside it. The function's own retries, since the
        // scheduler invokes it asynchronously, are off as well (token-broker.ts):
        // https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
  }
}
