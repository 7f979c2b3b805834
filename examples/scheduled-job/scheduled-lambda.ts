/** The function of ../lambda-function, every night at three: EventBridge Scheduler, in the CDK app of the broker. */
import { Duration, TimeZone } from "aws-cdk-lib";
import { ManagedPolicy, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Runtime } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
import { Schedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import type { TokenBroker } from "../../infra/token-broker.ts";

export class ScheduledLambda extends Construct {
  constructor(parent: Construct, id: string, broker: TokenBroker) {
    super(parent, id);
    const role = new Role(this, "Role", {
      // The scope's `callers` name it.
      roleName: "nightly-report",
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName("service-role/AWSLambdaBasicExecutionRole")],
    });
    broker.grantToken(role, "sales");
    broker.grantLogout(role, "sales");

    const handler = new NodejsFunction(this, "Function", {
      entry: `${import.meta.dirname}/../lambda-function/handler.ts`,
      runtime: Runtime.NODEJS_24_X,
      role,
      // The handler keeps within it, whatever it is: 10 s of it may go by in waiting for the broker.
      timeout: Duration.seconds(30),
      environment: { LOOKER_BROKER_ENDPOINT: broker.endpoint },
      bundling: {
        format: OutputFormat.ESM,
        // The versions that the client was tested with, not those of Lambda's runtime.
        bundleAwsSDK: true,
        // For the CommonJS modules among them.
        banner:
          'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
    });

    new Schedule(this, "Schedule", {
      schedule: ScheduleExpression.cron({ minute: "0", hour: "3", timeZone: TimeZone.EUROPE_BERLIN }),
      // Scheduler may deliver more than once, and Lambda retries what fails: a job of this kind must bear to run twice.
      target: new LambdaInvoke(handler, { retryAttempts: 2, maxEventAge: Duration.hours(1) }),
    });
  }
}
