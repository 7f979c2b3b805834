/** The settings of a deployment and their defaults. */
import type { RemovalPolicy } from "aws-cdk-lib";
import type { ILambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { CustomDomain } from "./broker-api.ts";

export interface TokenBrokerProps {
  /** The scopes by name. Checked here: a wrong definition throws a `ScopesError` that names scope and field. */
  readonly scopes: ScopeDefinitions;

  /**
   * Id of the AWS organisation (`o-…`) outside of which nobody may call.
   * @default - no such condition; accounts that the scopes name may call
   */
  readonly organizationId?: string;

  /**
   * Makes the API private: reachable through these interface endpoints of `execute-api` only (`vpce-…`), which may
   * belong to other accounts.
   * @default - regional, reachable from everywhere by those whose IAM policy allows it
   */
  readonly vpcEndpointIds?: readonly string[];

  /**
   * A name of your own. The `execute-api` endpoint is then disabled.
   * @default - API Gateway's own name
   */
  readonly domain?: CustomDomain;

  /**
   * Requests per second, and how many at once, for each route; beyond them callers get 429.
   * @default - 200 a second, bursts of 400
   */
  readonly throttle?: { readonly rateLimit: number; readonly burstLimit: number };

  /**
   * API Gateway writes access logs with a role that is set once for an account and region. `create` makes that role
   * and sets it, over any that was set; `existing` leaves the setting alone and needs it to be there.
   * @default "existing"
   */
  readonly cloudWatchRole?: "existing" | "create";

  /**
   * How long the functions' logs (the audit records) and the access logs are kept.
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: RetentionDays;

  /**
   * Encrypts the log groups. Its key policy must let `logs.<region>.amazonaws.com` use it.
   * @default - CloudWatch Logs' own encryption
   */
  readonly logEncryptionKey?: IKey;

  /**
   * Processors of the functions. Their code is JavaScript and the same for both. Choose `x86_64` in a region or an account without
   * arm64.
   * @default "arm64"
   */
  readonly architecture?: "arm64" | "x86_64";

  /**
   * Memory of each function in MB; CPU comes with it.
   * @default 512
   */
  readonly memorySize?: number;

  /**
   * Concurrency that is set apart for these functions, taken from the account's: a floor which keeps revocation going
   * when callers use up the rest, and a ceiling. A busy sweep is still at work when the next one starts, so give `sweep`
   * at least 2.
   * @default - none is reserved
   */
  readonly reservedConcurrency?: { readonly operate?: number; readonly sweep?: number };

  /**
   * Runs the functions in this VPC, which must let them reach DynamoDB, KMS, Secrets Manager and Looker: for a fixed
   * egress address, private subnets behind NAT gateways.
   * @default - outside of any VPC
   */
  readonly vpc?: IVpc;

  /** @default - private subnets of `vpc` */
  readonly vpcSubnets?: SubnetSelection;

  /** @default - one that lets out HTTPS, and the ports that the scopes' Looker URLs name */
  readonly securityGroups?: ISecurityGroup[];

  /**
   * Shifts traffic to new versions step by step with CodeDeploy, such as
   * `LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES`.
   * @default - all at once
   */
  readonly deploymentConfig?: ILambdaDeploymentConfig;

  /** @default true */
  readonly deletionProtection?: boolean;

  /**
   * What becomes of table, sealing key and logs when the stack goes. A table or key that is gone leaves live tokens
   * that nobody can end any more.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * ARNs of IAM roles or users, with path, that may read and write rows beside the functions: for an emergency. `*`
   * and `?` work.
   * @default - nobody
   */
  readonly breakGlassArns?: readonly string[];

  /**
   * Is told when an alarm goes off and when it is over. Its policy must let CloudWatch publish, as a topic's first policy
   * does for alarms of its own account; so must that of a key that encrypts it, which cannot be `alias/aws/sns`:
   * https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
   * @default - the alarms are there, and tell nobody
   */
  readonly alarmTopic?: ITopic;

  /** Alarm thresholds that depend on usage. */
  readonly alarms?: AlarmThresholds;

  /**
   * Tells `alarmTopic` when somebody changes the policy of the table or of the sealing key, or calls what undoes them.
   * Needs a CloudTrail trail that records write management events of this region, and a topic whose policy lets
   * `events.amazonaws.com` publish beside `cloudwatch.amazonaws.com` (docs/how-to/deploy.md).
   * @default false
   */
  readonly tellOfPolicyChanges?: boolean;

  /**
   * Where whoever is woken can read the runbook: each alarm's description ends with this address and an entry's name.
   * @default "docs/how-to/runbook.md", in the repository that the broker is deployed from
   */
  readonly runbookUrl?: string;

  /**
   * A CloudWatch dashboard.
   * @default true
   */
  readonly dashboard?: boolean;
}

/** Alarm thresholds that depend on usage. */
export interface AlarmThresholds {
  /**
   * Logins in five minutes. A caller needs one for each lease, which is renewed after about four fifths of its
   * time: 300 are some 700 callers with leases of 15 minutes.
   * @default 300
   */
  readonly mintsPerFiveMinutes?: number;

  /**
   * What one token request in a hundred may take, in milliseconds: a login of Looker's, and the cold start before it.
   * @default 3000
   */
  readonly p99Milliseconds?: number;

  /**
   * Calls in five minutes that IAM let in and the scopes' lists refused. Those that IAM refuses never reach the
   * broker; the access logs have them.
   * @default 20
   */
  readonly deniedCallsPerFiveMinutes?: number;
}

export interface GuardProps {
  /**
   * ARNs, with path, of the IAM roles that deploy: they, and the roles of the CDK's bootstrap, may do what is denied to
   * all others. Who may assume them, their trust policies say.
   */
  readonly pipelineArns: readonly string[];
  /**
   * ARNs of the client secrets, where naming each would be too long for one policy: `*` and `?` work.
   * @default - each secret of the broker's account that a scope names
   */
  readonly secretArns?: readonly string[];
}

/** All that a deployment can set beside its scopes. */
export interface DeploymentSettings extends Omit<TokenBrokerProps, "scopes"> {
  /**
   * Writes service control policies for the organisation, which keep everybody but the deployment away.
   * @default - none
   */
  readonly guard?: GuardProps;
}

export const defaultThresholds = {
  mintsPerFiveMinutes: 300,
  p99Milliseconds: 3_000,
  deniedCallsPerFiveMinutes: 20,
} as const satisfies Required<AlarmThresholds>;
