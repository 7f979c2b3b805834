/** The broker as a construct: REST API, functions, table, sealing key. */
import { Annotations, Duration, RemovalPolicy, Stack, Token } from "aws-cdk-lib";
import { type IResource, LambdaIntegration, type RestApi } from "aws-cdk-lib/aws-apigateway";
import type { Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { type IVpc, Peer, Port, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import { type LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { environment, stageName, table } from "../functions/contract.ts";
import type { Scopes } from "../functions/domain/scope.ts";
import { accountCheck } from "./account-check.ts";
import { type BrokerAlarms, brokerAlarms } from "./alarms.ts";
import { auditStatements } from "./audit-access.ts";
import { BrokerApi, type CustomDomain } from "./broker-api.ts";
import { BrokerFunction, type BrokerFunctions, type SharedFunctionProps } from "./broker-function.ts";
import { BrokerMetrics } from "./broker-metrics.ts";
import { checkBroker } from "./check-broker.ts";
import { capacityWarnings } from "./check-capacity.ts";
import { checkedScopes } from "./check-scopes.ts";
import { brokerDashboard } from "./dashboard.ts";
import { FunctionSchedule } from "./function-schedule.ts";
import type { HandedStatement } from "./handed-policy.ts";
import { tellOfPolicyChanges } from "./policy-changes.ts";
import { PolicyRecords } from "./policy-records.ts";
import { saveQueries } from "./query-definitions.ts";
import { resourcePolicy } from "./resource-policy.ts";
import { rotation } from "./rotation.ts";
import { pathIn, routes, routesOf, type Verb } from "./routes.ts";
import { letRolesUse, sealingKey } from "./sealing-key.ts";
import { readScopeSecrets } from "./secret-statements.ts";
import { defaultThresholds, defaultThrottle, type TokenBrokerProps } from "./settings.ts";
import { denyRowsToOthers, slotTable } from "./slot-table.ts";
import { queryDueRows, queryRows, readAndWriteRows, useSealingKey } from "./statements.ts";

/**
 * A token broker for Looker: REST API, functions, table and sealing key.
 *
 * @typeParam ScopeName - The names of its scopes, taken from `scopes`.
 * @throws {BrokerSettingsError} with every mistake in settings and scopes
 * @example
 * const broker = new TokenBroker(stack, "Broker", {
 *   scopes: {
 *     sales: {
 *       lookerUrl: "https://example.cloud.looker.com",
 *       secret: { secretName: "looker/sales" },
 *       callers: ["arn:aws:iam::111122223333:role/report-service"],
 *       operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
 *     },
 *   },
 * });
 * broker.grantToken(reportService, "sales");
 */
export class TokenBroker<ScopeName extends string = string> extends BrokerMetrics {
  readonly scopes: Scopes;
  readonly api: RestApi;
  readonly domain?: CustomDomain;
  readonly accessLogGroup: LogGroup;
  readonly table: Table;
  readonly sealingKey: Key;
  readonly issueToken: BrokerFunction;
  readonly logout: BrokerFunction;
  readonly operate: BrokerFunction;
  readonly sweep: BrokerFunction;
  /** Undefined with `accountCheck: false`. */
  readonly checkAccount?: BrokerFunction;
  /** Undefined without a rotating secret. */
  readonly rotateSecret?: BrokerFunction;
  /** All of these, by their names. */
  readonly functions: BrokerFunctions;
  /** Callers append `/scopes/…`. It has no trailing slash. */
  readonly endpoint: string;
  /** By name, for actions of your own. */
  readonly alarms: BrokerAlarms;
  readonly dashboard?: Dashboard;

  constructor(scope: Construct, id: string, props: TokenBrokerProps<ScopeName>) {
    super(scope, id);
    const stack = Stack.of(this);
    const { account, region } = stack;
    checkBroker(props, { construct: this.name, account, region, caller: TokenBroker });
    const warnings = capacityWarnings(props, Token.isUnresolved(region) ? undefined : region);
    for (const [warning, text] of warnings)
      Annotations.of(this).addWarningV2(`looker-token-broker:${warning}`, text);
    const { definitions, scopes } = checkedScopes(props.scopes, this);
    this.scopes = scopes;
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
    const { key, policy: keyPolicy } = sealingKey(this, this.name, unlessNew);
    this.sealingKey = key;
    const api = new BrokerApi(this, "Api", {
      broker: this.name,
      ...logs,
      policy: resourcePolicy(this, { ...props, scopes: this.scopes }),
      private: props.vpcEndpointIds !== undefined,
      ...(props.domain && { domain: props.domain }),
      throttle: props.throttle ?? defaultThrottle,
      createCloudWatchRole: props.cloudWatchRole === "create",
    });
    this.api = api.restApi;
    this.accessLogGroup = api.accessLogGroup;
    this.endpoint = api.endpoint;
    if (props.domain) this.domain = props.domain;

    const functionConfig = {
      [environment.tableName]: this.table.tableName,
      [environment.sealingKeyArn]: this.sealingKey.keyArn,
      [environment.brokerName]: this.name,
    };
    const shared: SharedFunctionProps = {
      ...logs,
      architecture: props.architecture ?? "arm64",
      memorySize: props.memorySize ?? 512,
      ...this.network(props),
      ...(props.deploymentConfig && { deploymentConfig: props.deploymentConfig }),
    };
    const behindApi = {
      ...shared,
      scopes: definitions,
      environment: {
        ...functionConfig,
        [environment.apiId]: this.api.restApiId,
        [environment.apiStage]: stageName,
        [environment.accountId]: stack.account,
      },
    };
    this.issueToken = new BrokerFunction(this, "IssueToken", {
      ...behindApi,
      name: "issue-token",
      description: "Looker token broker: gives callers leases, tells them their scopes",
      statements: [
        readAndWriteRows(this.table),
        useSealingKey(this.sealingKey, this.table, ["Encrypt", "Decrypt"]),
      ],
      secretStatements: readScopeSecrets(stack, definitions),
    });
    this.logout = new BrokerFunction(this, "Logout", {
      ...behindApi,
      name: "logout",
      description: "Looker token broker: ends a caller's own leases",
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        useSealingKey(this.sealingKey, this.table, ["Decrypt"]),
      ],
    });
    this.operate = new BrokerFunction(this, "Operate", {
      ...behindApi,
      name: "operate",
      description: "Looker token broker: lists, revokes and freezes for operators",
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        useSealingKey(this.sealingKey, this.table, ["Decrypt"]),
      ],
      ...reserved(props.reservedConcurrency?.operate),
    });
    this.sweep = new BrokerFunction(this, "Sweep", {
      ...shared,
      environment: functionConfig,
      name: "sweep",
      description: "Looker token broker: ends what is due, once a minute",
      // A logout is begun if it can end within the function's time, twelve seconds before its end at the latest. So a sweep
      // begins logouts for a whole minute, until the next one does: with much to end, Looker is never idle in between.
      timeout: Duration.seconds(72),
      // The next run is the retry. Lambda's own would pile up when concurrency is short, and run late and all at once.
      asynchronous: { retryAttempts: 0, maxEventAge: Duration.minutes(1) },
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        queryDueRows(this.table, table.dueIndex.name),
        useSealingKey(this.sealingKey, this.table, ["Decrypt"]),
      ],
      ...reserved(props.reservedConcurrency?.sweep),
    });
    const { scheduler } = new FunctionSchedule(this, "SweepSchedule", {
      target: this.sweep.target,
      description: "Ends what is due: revoked tokens, ended leases, unfinished revocations",
      every: Duration.minutes(1),
    });
    const checkAccount =
      (props.accountCheck ?? true)
        ? accountCheck(this, {
            ...shared,
            scopes: definitions,
            environment: functionConfig,
            table: this.table,
            sealingKey: this.sealingKey,
            secretPolicies: this.issueToken.secretPolicies,
            scheduler,
          })
        : undefined;
    const rotateSecret = rotation(this, {
      ...shared,
      scopes: definitions,
      broker: this.name,
      table: this.table,
    });
    if (checkAccount) this.checkAccount = checkAccount;
    if (rotateSecret) this.rotateSecret = rotateSecret;

    this.functions = {
      issueToken: this.issueToken,
      logout: this.logout,
      operate: this.operate,
      sweep: this.sweep,
      ...(checkAccount && { checkAccount }),
      ...(rotateSecret && { rotateSecret }),
    };
    const { functions } = this;
    saveQueries(this, this.name, {
      functions: Object.values(functions).map(({ logGroup }) => logGroup),
      accessLog: this.accessLogGroup,
    });

    const breakGlassArns = props.breakGlassArns ?? [];
    const rolesOf = (...them: (BrokerFunction | undefined)[]) =>
      them.flatMap((each) => each?.role.roleArn ?? []);
    denyRowsToOthers(this.table, [...rolesOf(...Object.values(functions)), ...breakGlassArns]);
    letRolesUse(this.sealingKey, {
      seal: rolesOf(this.issueToken, checkAccount),
      open: rolesOf(this.issueToken, this.logout, this.operate, this.sweep, checkAccount),
    });
    new PolicyRecords(this, "Policies", {
      broker: this.name,
      table: this.table,
      keyPolicy,
      breakGlassArns,
    });

    for (const { method, path, by } of routes) {
      const resource: IResource = this.api.root.resourceForPath(path);
      resource.addMethod(
        method,
        // Permits API Gateway to invoke by this very method only, and not from the console's test page: its events
        // carry an identity of the tester's choosing.
        new LambdaIntegration(this[by].target, { proxy: true, allowTestInvoke: false }),
      );
    }

    const runbookUrl = props.runbookUrl ?? "docs/how-to/runbook.md";
    const topic = props.alarmTopic;
    this.alarms = brokerAlarms(this, functions, {
      thresholds: { ...defaultThresholds, ...props.alarms },
      runbookUrl,
      ...(topic && { topic }),
    });
    if (props.tellOfPolicyChanges && topic)
      tellOfPolicyChanges(this, { table: this.table, sealingKey: this.sealingKey, topic, runbookUrl });
    if (props.dashboard ?? true)
      this.dashboard = brokerDashboard(this, functions, Object.values(this.alarms));
  }

  /**
   * Lets a principal fetch tokens of a scope, and ask who it is: the first of two locks. The scope's own `callers`
   * must name it too.
   */
  grantToken(grantee: IGrantable, scopeName: ScopeName): Grant {
    return this.grant(grantee, "token", scopeName);
  }

  /** Lets a principal end its own leases in a scope. */
  grantLogout(grantee: IGrantable, scopeName: ScopeName): Grant {
    return this.grant(grantee, "logout", scopeName);
  }

  /** Lets a principal list and revoke everybody's leases in a scope, and freeze it, if it is among its `operators`. */
  grantOperate(grantee: IGrantable, scopeName: ScopeName): Grant {
    return this.grant(grantee, "operate", scopeName);
  }

  /** Lets a principal of the broker's account read records, ask the saved queries and see the alarms. */
  grantAudit(grantee: IGrantable): Grant {
    const grants = this.auditStatements().map(({ actions, resources }) =>
      Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [...resources] }),
    );
    return grants.reduce((all, each) => all.combine(each));
  }

  /** The statements that `grantAudit` gives, for IAM policies that are written elsewhere. */
  auditStatements(): HandedStatement[] {
    const logGroups = [...Object.values(this.functions).map(({ logGroup }) => logGroup), this.accessLogGroup];
    return auditStatements(Stack.of(this), { logGroups, dashboard: this.dashboard });
  }

  /** ARNs for `execute-api:Invoke`: what each grant gives, for IAM policies that are written elsewhere. */
  invokeArns(scopeName: ScopeName, ...verbs: Verb[]): string[] {
    if (!this.scopes.has(scopeName))
      throw new Error(
        `There is no scope ${JSON.stringify(scopeName)}; there are ${[...this.scopes.keys()].join(", ")}.`,
      );
    return routesOf(...verbs).map(({ method, path }) =>
      this.api.arnForExecuteApi(method, pathIn(path, scopeName), stageName),
    );
  }

  private grant(grantee: IGrantable, verb: Verb, scopeName: ScopeName): Grant {
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
