/** The settings of a deployment, their defaults, and the mistakes that synthesis reports, all at once. */
import { type RemovalPolicy, Token } from "aws-cdk-lib";
import type { ILambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { CustomDomain } from "./broker-api.ts";

export interface TokenBrokerProps<ScopeName extends string = string> {
  /** The scopes by name. Checked here: a wrong definition throws a `ScopesError` that names scope and field. */
  readonly scopes: ScopeDefinitions<ScopeName>;

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

export const defaultThresholds = {
  mintsPerFiveMinutes: 300,
  p99Milliseconds: 3_000,
  deniedCallsPerFiveMinutes: 20,
} as const satisfies Required<AlarmThresholds>;

/** What the types let pass and AWS would refuse half-way, or worse, take. */
export function checkSettings(
  props: TokenBrokerProps,
  { broker, account, region }: { broker: string; account: string; region: string },
): void {
  const { organizationId, vpcEndpointIds, domain, breakGlassArns = [], memorySize = 512 } = props;
  const wrong: string[] = [];
  if (organizationId !== undefined && !/^o-[a-z0-9]{10,32}$/.test(organizationId))
    wrong.push(
      `organizationId: ${JSON.stringify(organizationId)} is not an organisation's id, like "o-a1b2c3d4e5"`,
    );
  if (vpcEndpointIds?.length === 0)
    wrong.push("vpcEndpointIds: nobody could reach the API; name an endpoint");
  for (const id of vpcEndpointIds ?? [])
    if (!/^vpce-[0-9a-f]{8,17}$/.test(id))
      wrong.push(
        `vpcEndpointIds: ${JSON.stringify(id)} is not the id of a VPC endpoint, like "vpce-0a1b2c3d4e5f60718"`,
      );
  if (vpcEndpointIds && domain)
    wrong.push("domain: is for the regional API; a private API is called through its VPC endpoints");
  for (const arn of breakGlassArns) {
    if (!/^arn:aws(?:-cn|-us-gov)?:iam::\d{12}:(?:role|user)\/(?![*?/]*$)[\w+=,.@/*?-]+$/.test(arn))
      wrong.push(`breakGlassArns: ${JSON.stringify(arn)} does not name an IAM role or user of one account`);
    // The table denies; it allows nobody. A role of another account would need that too.
    else if (!Token.isUnresolved(account) && arn.split(":")[4] !== account)
      wrong.push(`breakGlassArns: ${JSON.stringify(arn)} is not of the broker's account ${account}`);
  }
  if (!Number.isInteger(memorySize) || memorySize < 256 || memorySize > 10_240)
    wrong.push("memorySize: must be a whole number of MB from 256 to 10240");
  for (const [name, { secret }] of Object.entries(props.scopes)) {
    const secretRegion = secret.secretArn?.split(":")[3] ?? region;
    if (!Token.isUnresolved(region) && secretRegion !== region)
      wrong.push(
        `scope "${name}": secret.secretArn: is in ${secretRegion}; functions in ${region} read secrets of their own region`,
      );
  }
  // KMS's rule for an alias is the strictest: https://docs.aws.amazon.com/kms/latest/developerguide/alias-create.html
  if (!/^[\w-]+(?:\/[\w-]+)*$/.test(broker) || broker.length > 200)
    wrong.push(
      `the construct's path ${JSON.stringify(broker)} is the broker's name in metrics, in its key's alias and in its parameters: at most 200 of A-Z, a-z, 0-9, _, - and /`,
    );
  for (const [name, threshold] of Object.entries(props.alarms ?? {}))
    if (!Number.isInteger(threshold) || threshold < 1)
      wrong.push(`alarms.${name}: must be a whole number above 0`);
  if (props.tellOfPolicyChanges && !props.alarmTopic)
    wrong.push("tellOfPolicyChanges: needs an alarmTopic; without one nobody would be told");
  if (props.runbookUrl !== undefined && !/^[\x21-\x22\x24-\x7e]{1,400}$/.test(props.runbookUrl))
    wrong.push(
      "runbookUrl: must be at most 400 characters without spaces and without #; an entry's name is appended",
    );
  if (wrong.length > 0) throw new BrokerSettingsError(wrong);
}

/** Settings that cannot be deployed, all of them. */
export class BrokerSettingsError extends Error {
  override readonly name = "BrokerSettingsError";
  constructor(errors: readonly string[]) {
    super(`The broker's settings cannot be used:\n${errors.map((error) => `  - ${error}`).join("\n")}`);
  }
}
