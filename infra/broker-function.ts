/** One Lambda function of the broker, with a log group and a role of its own. */
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  type CfnFunction,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { ScopeDefinitions } from "../functions/core/scope.ts";
import { bundledCode, type FunctionName } from "./bundle.ts";
import { writeLogs, writeTraces } from "./statements.ts";

export interface BrokerFunctionProps {
  readonly name: FunctionName;
  readonly description: string;
  /** Written beside the bundle of a function that needs them. */
  readonly scopes?: ScopeDefinitions;
  readonly environment: Record<string, string>;
  /** Ends before API Gateway's 29 s by default, so that the caller hears of a time-out from one that is over. */
  readonly timeout?: Duration;
  /** All that its role may do beside its own logs and traces. */
  readonly statements: PolicyStatement[];
}

export class BrokerFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: BrokerFunctionProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, "Logs", {
      retention: RetentionDays.THREE_MONTHS,
      // The audit record outlives the stack; it expires by its retention.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Runs ${props.name} of the Looker token broker`,
      inlinePolicies: {
        [props.name]: new PolicyDocument({
          statements: [...props.statements, writeLogs(this.logGroup), writeTraces()],
        }),
      },
    });
    this.function = new LambdaFunction(this, "Function", {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: bundledCode(props.name, props.scopes),
      environment: props.environment,
      // Latency is the network's and the cold start's; below this the start is throttled by CPU share.
      memorySize: 512,
      timeout: props.timeout ?? Duration.seconds(25),
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      // Nothing that CDK would like to add behind our back reaches the role.
      role: this.role.withoutPolicyUpdates(),
    });
    // Tools that read the template know a function by this; its logical id is CDK's business.
    (this.function.node.defaultChild as CfnFunction).addMetadata("broker:function", props.name);
  }
}
