/** Starts a function at a steady rate. */

import { type Duration, Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";

export interface FunctionScheduleProps {
  readonly target: IFunction;
  readonly description: string;
  /** From one start to the next. */
  readonly every: Duration;
  /** Of another schedule. @default - one of its own */
  readonly scheduler?: Scheduler;
}

/** EventBridge Scheduler's role. It starts the functions of its policy, and no others. */
export interface Scheduler {
  readonly role: Role;
  readonly policy: PolicyDocument;
}

export class FunctionSchedule extends Construct {
  readonly schedule: CfnSchedule;
  readonly scheduler: Scheduler;

  constructor(scope: Construct, id: string, props: FunctionScheduleProps) {
    super(scope, id);
    const { target, description, every } = props;
    this.scheduler = props.scheduler ?? scheduler(this);
    this.scheduler.policy.addStatements(
      new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [target.functionArn] }),
    );
    this.schedule = new CfnSchedule(this, "Schedule", {
      description,
      scheduleExpression: ScheduleExpression.rate(every).expressionString,
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: target.functionArn,
        roleArn: this.scheduler.role.roleArn,
        // The next start is the retry. A late run would be of no use then. The function's own retries, since the
        // scheduler invokes it asynchronously, are off as well (`asynchronous` in broker-function.ts):
        // https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: every.toSeconds() },
      },
    });
  }
}

function scheduler(scope: Construct): Scheduler {
  const policy = new PolicyDocument();
  const stack = Stack.of(scope);
  // A schedule without a group is in this one.
  const group = { service: "scheduler", resource: "schedule-group", resourceName: "default" };
  const role = new Role(scope, "Role", {
    description: "Lets EventBridge Scheduler start functions of the Looker token broker",
    // Against the confused deputy: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
      conditions: {
        StringEquals: { "aws:SourceAccount": stack.account, "aws:SourceArn": stack.formatArn(group) },
      },
    }),
    inlinePolicies: { invoke: policy },
  });
  return { role, policy };
}
