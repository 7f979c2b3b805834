/** The broker as a construct: REST API, functions, table, sealing key. */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { type IResource, LambdaIntegration, type RestApi } from "aws-cdk-lib/aws-apigateway";
import type { Alarm, Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { ILambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import {
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
} from "aws-cdk-lib/aws-ec2";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey, Key } from "aws-cdk-lib/aws-kms";
import { type LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import { environment, stageName, table } from "../functions/contract.ts";
import { parseScopes, type ScopeDefinitions, type Scopes } from "../functions/domain/scope.ts";
import { type AlarmName, type AlarmThresholds, brokerAlarms, defaultThresholds } from "./alarms.ts";
import { BrokerApi, type CustomDomain } from "./broker-api.ts";
import { BrokerFunction, type SharedFunctionProps } from "./broker-function.ts";
import { BrokerMetrics } from "./broker-metrics.ts";
import { checkSettings } from "./check-settings.ts";
import { brokerDashboard } from "./dashboard.ts";
import { saveQuestions } from "./query-definitions.ts";
import { resourcePolicy } from "./resource-policy.ts";
import { routes, routesOf, type Verb } from "./routes.ts";
import { letRolesUse, sealingKey } from "./sealing-key.ts";
import { denyRowsToOthers, slotTable } from "./slot-table.ts";
import { queryDueRows, queryRows, readAndWriteRows, readScopeSecrets, useSealingKey } from "./statements.ts";
import { SweepSchedule } from "./sweep-schedule.ts";

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
   * Memory of each function in MB; CPU comes with it.
   * @default 512
   */
  readonly memorySize?: number;

  /**
   * Concurrency that is set apart for these functions, taken from the account's: a floor which keeps revocation going
   * when callers use up the rest, and a ceiling.
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

  /** From which value on an alarm goes off, for those that depend on how the broker is used. */
  readonly alarms?: AlarmThresholds;

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

export class TokenBroker extends BrokerMetrics {
  readonly scopes: Scopes;
  readonly api: RestApi;
  readonly accessLogGroup: LogGroup;
  readonly table: Table;
  readonly sealingKey: Key;
  readonly issueToken: BrokerFunction;
  readonly logout: BrokerFunction;
  readonly operate: BrokerFunction;
  readonly sweep: BrokerFunction;
  /** The URL to which callers append `/scopes/…`, without a trailing slash. */
  readonly endpoint: string;
  /** By name, for actions of your own. */
  readonly alarms: Readonly<Record<AlarmName, Alarm>>;
  readonly dashboard?: Dashboard;

  constructor(scope: Construct, id: string, props: TokenBrokerProps) {
    super(scope, id);
    const { scopes } = props;
    this.scopes = parseScopes(scopes);
    const stack = Stack.of(this);
    checkSettings(props, { broker: this.name, account: stack.account, region: stack.region });
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    // Of a first deployment that failed, neither an empty key nor empty logs are left behind. The table is: while it is
    // protected, CloudFormation could not remove it.
    const unlessNew =
      removalPolicy === RemovalPolicy.RETAIN ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : removalPolicy;
    const logs = {
      logRetention: props.logRetention ?? RetentionDays.THREE_MONTHS,
      ...(props.logEncryptionKey && { logEncryptionKey: props.logEncryptionKey }),
      removalPolicy: unlessNew,
    };

    this.table = slotTable(this, { deletionProtection: props.deletionProtection ?? true, removalPolicy });
    this.sealingKey = sealingKey(this, unlessNew);
    const api = new BrokerApi(this, "Api", {
      ...logs,
      policy: resourcePolicy(this, { ...props, scopes: this.scopes }),
      private: props.vpcEndpointIds !== undefined,
      ...(props.domain && { domain: props.domain }),
      throttle: props.throttle ?? { rateLimit: 200, burstLimit: 400 },
      createCloudWatchRole: props.cloudWatchRole === "create",
    });
    this.api = api.restApi;
    this.accessLogGroup = api.accessLogGroup;
    this.endpoint = api.endpoint;

    const places = {
      [environment.tableName]: this.table.tableName,
      [environment.sealingKeyArn]: this.sealingKey.keyArn,
      [environment.brokerName]: this.name,
    };
    const shared: SharedFunctionProps = {
      ...logs,
      memorySize: props.memorySize ?? 512,
      ...this.network(props),
      ...(props.deploymentConfig && { deploymentConfig: props.deploymentConfig }),
    };
    const behindApi = {
      ...shared,
      scopes,
      environment: {
        ...places,
        [environment.apiId]: this.api.restApiId,
        [environment.apiStage]: stageName,
      },
    };
    this.issueToken = new BrokerFunction(this, "IssueToken", {
      ...behindApi,
      name: "issue-token",
      description: "Looker token broker: gives callers leases, tells them their scopes",
      statements: [
        readAndWriteRows(this.table),
        useSealingKey(this.sealingKey, this.table, "Encrypt", "Decrypt"),
      ],
      secretStatements: readScopeSecrets(stack, scopes),
    });
    this.logout = new BrokerFunction(this, "Logout", {
      ...behindApi,
      name: "logout",
      description: "Looker token broker: ends a caller's own leases",
      statements: [readAndWriteRows(this.table), useSealingKey(this.sealingKey, this.table, "Decrypt")],
    });
    this.operate = new BrokerFunction(this, "Operate", {
      ...behindApi,
      name: "operate",
      description: "Looker token broker: lists, revokes and freezes for operators",
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        useSealingKey(this.sealingKey, this.table, "Decrypt"),
      ],
      ...reserved(props.reservedConcurrency?.operate),
    });
    this.sweep = new BrokerFunction(this, "Sweep", {
      ...shared,
      environment: places,
      name: "sweep",
      description: "Looker token broker: ends what is due, once a minute",
      // Nobody waits for it. Two at once are safe; one a minute is enough.
      timeout: Duration.seconds(55),
      // The next run is the retry. Lambda's own would pile up when concurrency is short, and run late and all at once.
      asynchronous: { retryAttempts: 0, maxEventAge: Duration.minutes(1) },
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        queryDueRows(this.table, table.dueIndex.name),
        useSealingKey(this.sealingKey, this.table, "Decrypt"),
      ],
      ...reserved(props.reservedConcurrency?.sweep),
    });
    new SweepSchedule(this, "SweepSchedule", this.sweep.target);

    const functions = [this.issueToken, this.logout, this.operate, this.sweep];
    saveQuestions(
      this,
      this.name,
      functions.map(({ logGroup }) => logGroup),
    );

    const roleArns = functions.map(({ role }) => role.roleArn);
    denyRowsToOthers(this.table, [...roleArns, ...(props.breakGlassArns ?? [])]);
    letRolesUse(this.sealingKey, { seal: [this.issueToken.role.roleArn], open: roleArns });

    for (const { method, path, by } of routes) {
      const resource: IResource = this.api.root.resourceForPath(path);
      resource.addMethod(
        method,
        // Permits API Gateway to invoke by this very method only, and not from the console's test page: its events
        // carry an identity of the tester's choosing.
        new LambdaIntegration(this[by].target, { proxy: true, allowTestInvoke: false }),
      );
    }

    this.alarms = brokerAlarms(this, {
      thresholds: { ...defaultThresholds, ...props.alarms },
      runbookUrl: props.runbookUrl ?? "docs/how-to/runbook.md",
      ...(props.alarmTopic && { topic: props.alarmTopic }),
    });
    if (props.dashboard ?? true) this.dashboard = brokerDashboard(this, Object.values(this.alarms));
  }

  /**
   * Lets a principal fetch tokens of a scope, and ask who it is: the first of two locks. The scope's own `callers`
   * must name it too.
   */
  grantToken(grantee: IGrantable, scopeName: string): Grant {
    return this.grant(grantee, "token", scopeName);
  }

  /** Lets a principal end its own leases in a scope. */
  grantLogout(grantee: IGrantable, scopeName: string): Grant {
    return this.grant(grantee, "logout", scopeName);
  }

  /** Lets a principal list and revoke everybody's leases in a scope, and freeze it, if it is among its `operators`. */
  grantOperate(grantee: IGrantable, scopeName: string): Grant {
    return this.grant(grantee, "operate", scopeName);
  }

  /** ARNs for `execute-api:Invoke`: what each grant gives, for IAM policies that are written elsewhere. */
  invokeArns(scopeName: string, ...verbs: Verb[]): string[] {
    if (!this.scopes.has(scopeName))
      throw new Error(
        `There is no scope ${JSON.stringify(scopeName)}; there are ${[...this.scopes.keys()].join(", ")}.`,
      );
    return routesOf(...verbs).map(({ method, path }) =>
      this.api.arnForExecuteApi(method, path.replace("{scope}", scopeName), stageName),
    );
  }

  private grant(grantee: IGrantable, verb: Verb, scopeName: string): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ["execute-api:Invoke"],
      resourceArns: this.invokeArns(scopeName, verb),
    });
  }

  private network({
    vpc,
    vpcSubnets,
    securityGroups,
  }: TokenBrokerProps): Pick<SharedFunctionProps, "network"> {
    if (!vpc) return {};
    return {
      network: {
        vpc,
        ...(vpcSubnets && { vpcSubnets }),
        securityGroups: securityGroups ?? [this.egress(vpc)],
      },
    };
  }

  private egress(vpc: IVpc): SecurityGroup {
    const group = new SecurityGroup(this, "Egress", {
      vpc,
      description: "Looker token broker: out to AWS and Looker",
      allowAllOutbound: false,
    });
    const ports = [...this.scopes.values()].map(({ baseUrl }) => Number(new URL(baseUrl).port || 443));
    for (const port of new Set([443, ...ports])) group.addEgressRule(Peer.anyIpv4(), Port.tcp(port));
    return group;
  }
}

const reserved = (reservedConcurrentExecutions: number | undefined) =>
  reservedConcurrentExecutions === undefined ? {} : { reservedConcurrentExecutions };
