/** One Lambda function of the broker, with a log group and a role of its own. */
import { Duration, type RemovalPolicy, Validations } from "aws-cdk-lib";
import { type ILambdaDeploymentConfig, LambdaDeploymentGroup } from "aws-cdk-lib/aws-codedeploy";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { ManagedPolicy, Policy, type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import {
  Alias,
  Architecture,
  type CfnFunction,
  type IFunction,
  type IVersion,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { ScopeDefinitions } from "../functions/core/scope.ts";
import { bundledCode, type FunctionName } from "./bundle.ts";
import { useNetworkInterfaces, writeLogs, writeTraces } from "./statements.ts";

/** What all functions of a broker have in common. */
export interface SharedFunctionProps {
  readonly memorySize: number;
  readonly logRetention: RetentionDays;
  readonly logEncryptionKey?: IKey;
  readonly removalPolicy: RemovalPolicy;
  readonly network?: { vpc: IVpc; vpcSubnets?: SubnetSelection; securityGroups: ISecurityGroup[] };
  readonly deploymentConfig?: ILambdaDeploymentConfig;
}

export interface BrokerFunctionProps extends SharedFunctionProps {
  readonly name: FunctionName;
  readonly description: string;
  /** Written beside the bundle of a function that needs them. */
  readonly scopes?: ScopeDefinitions;
  readonly environment: Record<string, string>;
  /** Ends before API Gateway's 29 s by default, so that the caller hears of a time-out from one that is over. */
  readonly timeout?: Duration;
  readonly reservedConcurrentExecutions?: number;
  /** All that its role may do beside its own logs and traces. */
  readonly statements: readonly PolicyStatement[];
  /** What is too long for the role's own policy: a managed policy each. */
  readonly managedStatements?: readonly PolicyStatement[][];
}

export class BrokerFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
  /** What is to be invoked: the function, or the alias that a gradual deployment shifts. */
  readonly target: IFunction;

  constructor(scope: Construct, id: string, props: BrokerFunctionProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, "Logs", {
      retention: props.logRetention,
      ...(props.logEncryptionKey && { encryptionKey: props.logEncryptionKey }),
      // The audit record outlives the stack; it expires by its retention.
      removalPolicy: props.removalPolicy,
    });
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Runs ${props.name} of the Looker token broker`,
    });
    // Beside the role and not within it: table and key name the role, and the policies name table and key.
    const policies = [
      new Policy(this, "Policy", {
        roles: [this.role],
        statements: [
          ...props.statements,
          writeLogs(this.logGroup),
          writeTraces(),
          ...(props.network ? useNetworkInterfaces() : []),
        ],
      }),
      ...(props.managedStatements ?? []).map(
        (statements, index) =>
          new ManagedPolicy(this, `Secrets${index}`, {
            description: `Client secrets that ${props.name} of the Looker token broker may read`,
            roles: [this.role],
            statements: [...statements],
          }),
      ),
    ];
    for (const policy of policies)
      Validations.of(policy).acknowledge({
        id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
        reason: "X-Ray's actions and Lambda's own on network interfaces know no resources.",
      });
    this.function = new LambdaFunction(this, "Function", {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: bundledCode(props.name, props.scopes),
      environment: props.environment,
      memorySize: props.memorySize,
      timeout: props.timeout ?? Duration.seconds(25),
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      // Nothing that CDK would like to add behind our back reaches the role.
      role: this.role.withoutPolicyUpdates(),
      ...props.network,
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
    });
    // No request is served before all that it needs is allowed.
    this.function.node.addDependency(...policies);
    // Tools that read the template know a function by this; its logical id is CDK's business.
    (this.function.node.defaultChild as CfnFunction).addMetadata("broker:function", props.name);
    this.target = props.deploymentConfig ? this.shifted(props.deploymentConfig) : this.function;
  }

  /** An alias which CodeDeploy moves to a new version step by step. */
  private shifted(deploymentConfig: ILambdaDeploymentConfig): IFunction {
    const alias = new Alias(this, "Live", {
      aliasName: "live",
      version: this.function.currentVersion as IVersion,
    });
    const group = new LambdaDeploymentGroup(this, "Deployment", { alias, deploymentConfig });
    Validations.of(group).acknowledge({
      id: "AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]",
      reason: "CodeDeploy's role, with the policy that AWS keeps for it.",
    });
    return alias as IFunction;
  }
}
