/** One Lambda function of the broker, with a log group and a role of its own. */
import { Duration, type RemovalPolicy, Validations } from "aws-cdk-lib";
import { TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
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
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import { functionCode } from "./function-code.ts";
import type { FunctionName } from "./function-names.ts";
import { useNetworkInterfaces, writeLogs, writeTraces } from "./statements.ts";

/** Properties of all functions of a broker. */
export interface SharedFunctionProps {
  readonly architecture: "arm64" | "x86_64";
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
  /** What becomes of an asynchronous invocation that failed or was throttled. */
  readonly asynchronous?: { readonly retryAttempts: number; readonly maxEventAge: Duration };
  /** All that its role may do beside its own logs and traces. */
  readonly statements: readonly PolicyStatement[];
  /** The client secrets that it may read, too many for one policy: a managed policy each. */
  readonly secretStatements?: readonly PolicyStatement[][];
  /** Another function's managed policies, for the same secrets. With many scopes each is 6 KB of the template. */
  readonly secretPolicies?: readonly ManagedPolicy[];
}

/** The functions, by their names in code. */
export type FunctionKey = "issueToken" | "logout" | "operate" | "sweep";
/** Of a broker that checks accounts, or with a secret that rotates. */
export type OptionalFunctionKey = "checkAccount" | "rotateSecret";
export type BrokerFunctions = Readonly<Record<FunctionKey, BrokerFunction>> & {
  readonly [Key in OptionalFunctionKey]?: BrokerFunction;
};

export class BrokerFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
  /** One for as many client secrets as fit into it. */
  readonly secretPolicies: readonly ManagedPolicy[];
  /** What is to be invoked: the function, or the alias that a gradual deployment shifts. */
  readonly target: IFunction;
  /** Of a gradual deployment. Alarms that are added to it roll it back, as those on crashes do. */
  readonly deploymentGroup?: LambdaDeploymentGroup;

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
    const policy = new Policy(this, "Policy", {
      roles: [this.role],
      statements: [
        ...props.statements,
        writeLogs(this.logGroup),
        writeTraces(),
        ...(props.network ? useNetworkInterfaces() : []),
      ],
    });
    Validations.of(policy).acknowledge({
      id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
      reason: "X-Ray's actions and Lambda's own on network interfaces know no resources.",
    });
    for (const shared of props.secretPolicies ?? []) shared.attachToRole(this.role);
    this.secretPolicies = (props.secretStatements ?? []).map(
      (statements, index) =>
        new ManagedPolicy(this, `Secrets${index}`, {
          description: `Client secrets that ${props.name} of the Looker token broker may read`,
          roles: [this.role],
          statements: [...statements],
        }),
    );
    this.function = new LambdaFunction(this, "Function", {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: props.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      handler: "index.handler",
      code: functionCode(props.name, props.scopes),
      environment: props.environment,
      memorySize: props.memorySize,
      timeout: props.timeout ?? Duration.seconds(28),
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      // Nothing that CDK would like to add behind our back reaches the role.
      role: this.role.withoutPolicyUpdates(),
      ...props.network,
      ...props.asynchronous,
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
    });
    // No request is served before all that it needs is allowed.
    this.function.node.addDependency(policy, ...this.secretPolicies, ...(props.secretPolicies ?? []));
    // Tools that read the template know a function by this; its logical id is CDK's business.
    (this.function.node.defaultChild as CfnFunction).addMetadata("broker:function", props.name);
    if (props.deploymentConfig) {
      const alias = new Alias(this, "Live", {
        aliasName: "live",
        version: this.function.currentVersion as IVersion,
        // Each qualifier has its own.
        ...props.asynchronous,
      });
      this.target = alias as IFunction;
      this.deploymentGroup = this.shifting(alias, props.deploymentConfig);
    } else this.target = this.function;
  }

  /** CodeDeploy moves the alias to a new version step by step, and back if that one crashes or times out. */
  private shifting(alias: Alias, deploymentConfig: ILambdaDeploymentConfig): LambdaDeploymentGroup {
    const errors = alias.metricErrors({ period: Duration.minutes(1) }).createAlarm(this, "Errors", {
      alarmDescription:
        "A new version of the Looker token broker fails while traffic shifts to it: it is rolled back",
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const group = new LambdaDeploymentGroup(this, "Deployment", {
      alias,
      deploymentConfig,
      alarms: [errors],
    });
    Validations.of(group).acknowledge({
      id: "AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]",
      reason: "CodeDeploy's role, with the policy that AWS keeps for it.",
    });
    return group;
  }
}
