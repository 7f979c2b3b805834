/** Starts a function at a steady rate. */

import { type Duration, Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";

export interface FunctionScheduleProps {
  readonly target: IFunction;
  /** Of what it starts, such as `sweeper`. */
  readonly name: string;
  readonly description: string;
  /** From one start to the next. */
  readonly every: Duration;
}

export class FunctionSchedule extends Construct {
  readonly schedule: CfnSchedule;

  constructor(scope: Construct, id: string, props: FunctionScheduleProps) {
    super(scope, id);
    const { target, name, description, every } = props;
    const role = new Role(this, "Role", {
      description: `Lets EventBridge Scheduler start the Looker token broker's ${name}`,
      // Against the confused deputy: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
      inlinePolicies: {
        invoke: new PolicyDocument({
          statements: [
            new PolicyStatement({
              sid: `StartThe${name.replace(/(?:^| )./g, (first) => first.trim().toUpperCase())}`,
              actions: ["lambda:InvokeFunction"],
              resources: [target.functionArn],
            }),
          ],
        }),
      },
    });
    this.schedule = new CfnSchedule(this, "Schedule", {
      description,
      scheduleExpression: ScheduleExpression.rate(every).expressionString,
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        // The next start is the retry. A run that is late is of no use beside it. The function's own retries, since the
        // scheduler invokes it asynchronously, are off as well (`asynchronous` in broker-function.ts):
        // https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: every.toSeconds() },
      },
    });
  }
}
