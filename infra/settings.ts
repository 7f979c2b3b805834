/** The settings of a deployment and their defaults. `npm run reference` makes docs/reference/settings.md from the comments. */
import type { RemovalPolicy } from "aws-cdk-lib";
import type { ILambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { CustomDomain } from "./broker-api.ts";

export interface TokenBrokerProps<ScopeName extends string = string> {
  /** The scopes by name. A wrong definition throws a `BrokerSettingsError` with scope and field. */
  readonly scopes: ScopeDefinitions<ScopeName>;

  /**
   * Id of your AWS organisation, such as `o-a1b2c3d4e5`. Callers from outside of it are refused, even if a scope names them.
   * @default - callers of every account in the scopes
   */
  readonly organizationId?: string;

  /**
   * Makes the API private. Callers reach it through these interface endpoints of `execute-api` only, such as
   * `vpce-0a1b2c3d4e5f60718`. The endpoints may belong to other accounts.
   * @default - a regional API
   */
  readonly vpcEndpointIds?: readonly string[];

  /**
   * A name of your own. The `execute-api` endpoint is then disabled.
   * @default - API Gateway's own name
   */
  readonly domain?: CustomDomain;

  /**
   * Limits of each route. Beyond them callers get 429 with `Retry-After`.
   * @default - 200 requests a second, bursts of 400
   */
  readonly throttle?: Throttle;

  /**
   * API Gateway writes access logs with one role for an account and region. `create` makes the role and sets it in the place of an
   * earlier one. `existing` needs a role that is set already.
   * @default "existing"
   */
  readonly cloudWatchRole?: "existing" | "create";

  /**
   * Life of audit records and access logs.
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: RetentionDays;

  /**
   * Encrypts the log groups. Its key policy must let `logs.REGION.amazonaws.com` use it.
   * @default - CloudWatch Logs' own encryption
   */
  readonly logEncryptionKey?: IKey;

  /**
   * Processors of the functions. Choose `x86_64` in a region or an account without arm64: the code is the same, and Lambda
   * charges a quarter more for a GB-second.
   * @default "arm64"
   */
  readonly architecture?: "arm64" | "x86_64";

  /**
   * Memory of each function in MB. More memory brings more CPU.
   * @default 512
   * @minimum 256
   * @maximum 10240
   */
  readonly memorySize?: number;

  /**
   * Lambda's concurrency of the account in this region, as `aws lambda get-account-settings` shows it. Nothing is deployed by it.
   * Synthesis checks that `throttle` and `reservedConcurrency` fit into it.
   * @default - unknown. Warnings assume 1,000, and a new account has 10
   * @minimum 1
   */
  readonly accountConcurrency?: number;

  /**
   * Concurrency of the account that is set apart for these functions. It is a floor, so that revocation works when callers use up
   * the rest, and it is a ceiling.
   * @default - none
   */
  readonly reservedConcurrency?: ReservedConcurrency;

  /**
   * Checks the scopes' service accounts: once a week, and after each change of a secret or of a scope's `account`. A check is one
   * login and three questions to Looker, and Looker (Google Cloud core) meters the questions. Set it to `false` to have no checks.
   * @default true
   */
  readonly accountCheck?: boolean;

  /**
   * Runs the functions in this VPC. From there they must reach DynamoDB, KMS, Secrets Manager and Looker. Private subnets with NAT
   * gateways give them fixed addresses.
   * @default - outside of any VPC
   */
  readonly vpc?: IVpc;

  /**
   * Subnets of the functions.
   * @default - private subnets of `vpc`
   */
  readonly vpcSubnets?: SubnetSelection;

  /**
   * Security groups of the functions.
   * @default - a group with outbound HTTPS and the ports of the Looker URLs
   */
  readonly securityGroups?: ISecurityGroup[];

  /**
   * CodeDeploy shifts traffic to a new version step by step, and back if it crashes or times out, as with
   * `LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES`. Lambda takes a 500 of a handler for a success: add alarms such as
   * `broker.alarms.internalErrors` to `deploymentGroup`.
   * @default - all at once
   */
  readonly deploymentConfig?: ILambdaDeploymentConfig;

  /**
   * Protects the table from deletion.
   * @default true
   */
  readonly deletionProtection?: boolean;

  /**
   * The fate of table, sealing key and logs after the stack. Without table or key nobody can end the tokens that live.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * ARNs of IAM roles or users, with path, for emergencies. They may read and write rows if their own policies allow it, but cannot
   * open tokens. `*` and `?` work.
   * @default - nobody
   */
  readonly breakGlassArns?: readonly string[];

  /**
   * Gets a message when an alarm goes off and when it is over. Its policy must let CloudWatch publish, as a topic's first policy does
   * in its own account. The policy of a key that encrypts it must do the same, and `alias/aws/sns` does not:
   * https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
   * @default - the alarms go off without a message
   */
  readonly alarmTopic?: ITopic;

  /**
   * Alarm thresholds that depend on usage.
   * @default - those of the single thresholds
   */
  readonly alarms?: AlarmThresholds;

  /**
   * Sends `alarmTopic` a message when somebody changes or undoes the policy of the table or of the sealing key. It needs a CloudTrail
   * trail with the write management events of this region, and a topic policy for `events.amazonaws.com` and
   * `cloudwatch.amazonaws.com`.
   * @default false
   */
  readonly tellOfPolicyChanges?: boolean;

  /**
   * Address of the runbook. Each alarm's description ends with it and with an entry's name.
   * @default "docs/how-to/runbook.md"
   */
  readonly runbookUrl?: string;

  /**
   * Makes a CloudWatch dashboard of alarms, requests, failures and latencies.
   * @default true
   */
  readonly dashboard?: boolean;
}

/** Limits of each route. */
export interface Throttle {
  /** Requests per second. */
  readonly rateLimit: number;
  /**
   * Requests at once.
   * @minimum 1
   */
  readonly burstLimit: number;
}

/** Concurrency that is set apart. */
export interface ReservedConcurrency {
  /**
   * Of the operators' function.
   * @default - none
   * @minimum 1
   */
  readonly operate?: number;
  /**
   * Of the sweeper. Give it at least 2, because a busy sweep is still at work when the next one starts.
   * @default - none
   * @minimum 1
   */
  readonly sweep?: number;
}

/** Alarm thresholds that depend on usage. */
export interface AlarmThresholds {
  /**
   * Logins in five minutes. A caller renews its lease after about 70 % of its time, by one login. So 300 logins are about 630 callers
   * with leases of 15 minutes.
   * @default 300
   * @minimum 1
   */
  readonly mintsPerFiveMinutes?: number;

  /**
   * Milliseconds of the slowest token request in a hundred, with Looker's login and a cold start.
   * @default 3000
   * @minimum 1
   */
  readonly p99Milliseconds?: number;

  /**
   * Calls in five minutes that IAM let in and a scope's list refused. The access logs have the calls that IAM refused.
   * @default 20
   * @minimum 1
   */
  readonly deniedCallsPerFiveMinutes?: number;
}

export interface GuardProps {
  /**
   * ARNs, with path, of the IAM roles that deploy. Their trust policies say who may assume them. These roles and the CDK's bootstrap
   * roles stay free of the guard.
   */
  readonly pipelineArns: readonly string[];
  /**
   * Patterns for the ARNs of the client secrets and of the administrators' secrets, if there are too many for one policy. `*` and
   * `?` work.
   * @default - each secret of the broker's account in the scopes
   */
  readonly secretArns?: readonly string[];
  /**
   * ARNs, with path, of the IAM roles that may start a rotation at once. They cannot choose another function or another time, and
   * cannot read the secret. `*` and `?` work.
   * @default - nobody but the deployment
   */
  readonly rotatorArns?: readonly string[];
}

/** All settings of a deployment but its scopes. */
export interface DeploymentSettings extends Omit<TokenBrokerProps, "scopes"> {
  /**
   * Writes service control policies for your organisation, as SSM parameters. They keep everybody but the pipeline's roles away from
   * the broker.
   * @default - none
   */
  readonly guard?: GuardProps;
}

export const defaultThrottle = { rateLimit: 200, burstLimit: 400 } as const satisfies Throttle;

export const defaultThresholds = {
  mintsPerFiveMinutes: 300,
  p99Milliseconds: 3_000,
  deniedCallsPerFiveMinutes: 20,
} as const satisfies Required<AlarmThresholds>;
