/** The broker as a construct: REST API, functions, table, sealing key. */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import {
  AuthorizationType,
  EndpointType,
  type IResource,
  LambdaIntegration,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import { AttributeType, BillingMode, ProjectionType, Table } from "aws-cdk-lib/aws-dynamodb";
import { Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { parseScopes, type ScopeDefinitions } from "../functions/core/scope.ts";
import { environment, resources, stageName, table } from "../functions/names.ts";
import { BrokerFunction } from "./broker-function.ts";
import { queryDueRows, queryRows, readAndWriteRows, readScopeSecrets, useSealingKey } from "./statements.ts";
import { SweepSchedule } from "./sweep-schedule.ts";

export interface TokenBrokerProps {
  /** The scopes by name. Checked here: a wrong definition throws a `ScopesError` that names scope and field. */
  readonly scopes: ScopeDefinitions;
}

export class TokenBroker extends Construct {
  readonly api: RestApi;
  readonly table: Table;
  readonly sealingKey: Key;
  readonly issueToken: BrokerFunction;
  readonly logout: BrokerFunction;
  readonly operate: BrokerFunction;
  readonly sweep: BrokerFunction;

  constructor(scope: Construct, id: string, props: TokenBrokerProps) {
    super(scope, id);
    const { scopes } = props;
    parseScopes(scopes);
    const stack = Stack.of(this);

    this.table = slotTable(this);
    this.sealingKey = new Key(this, "SealingKey", {
      description: "Seals the Looker tokens in the token broker's table",
      alias: `${stack.stackName}/sealing-key`,
      enableKeyRotation: true,
      // Without it no token in a retained table can be opened, and so none be logged out.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.api = restApi(this);

    const places = {
      [environment.tableName]: this.table.tableName,
      [environment.sealingKeyArn]: this.sealingKey.keyArn,
    };
    const behindApi = {
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
        useSealingKey(this.sealingKey, "Encrypt", "Decrypt"),
        ...readScopeSecrets(stack, scopes),
      ],
    });
    this.logout = new BrokerFunction(this, "Logout", {
      ...behindApi,
      name: "logout",
      description: "Looker token broker: ends a caller's own leases",
      statements: [readAndWriteRows(this.table), useSealingKey(this.sealingKey, "Decrypt")],
    });

    this.operate = new BrokerFunction(this, "Operate", {
      ...behindApi,
      name: "operate",
      description: "Looker token broker: lists, revokes and freezes for operators",
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        useSealingKey(this.sealingKey, "Decrypt"),
      ],
    });
    this.sweep = new BrokerFunction(this, "Sweep", {
      environment: places,
      name: "sweep",
      description: "Looker token broker: ends what is due, once a minute",
      // Nobody waits for it. Two at once are safe; one a minute is enough.
      timeout: Duration.seconds(55),
      statements: [
        readAndWriteRows(this.table),
        queryRows(this.table),
        queryDueRows(this.table, table.dueIndex.name),
        useSealingKey(this.sealingKey, "Decrypt"),
      ],
    });
    new SweepSchedule(this, "SweepSchedule", this.sweep.function);

    this.route("GET", resources.leases, this.operate);
    this.route("DELETE", resources.leases, this.operate);
    this.route("PUT", resources.freeze, this.operate);
    this.route("DELETE", resources.freeze, this.operate);
    this.route("POST", resources.token, this.issueToken);
    this.route("GET", resources.scopes, this.issueToken);
    this.route("POST", resources.logout, this.logout);
  }

  /** The URL to which callers append `/scopes/…`. */
  get endpoint(): string {
    return this.api.deploymentStage.urlForPath().replace(/\/$/, "");
  }

  private route(method: "GET" | "POST" | "PUT" | "DELETE", path: string, target: BrokerFunction): void {
    const resource: IResource = this.api.root.resourceForPath(path);
    resource.addMethod(
      method,
      // Permits API Gateway to invoke by this very method only, and not from the console's test page: its events
      // carry an identity of the tester's choosing.
      new LambdaIntegration(target.function, { proxy: true, allowTestInvoke: false }),
    );
  }
}

function slotTable(scope: Construct): Table {
  // `Table`, not `TableV2`: a replica would make conditional writes last-writer-wins, and this one has none to give.
  const slots = new Table(scope, "Table", {
    partitionKey: { name: table.partitionKey, type: AttributeType.STRING },
    sortKey: { name: table.sortKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: table.ttl,
    // A lost row is a live token that nobody can revoke any more.
    removalPolicy: RemovalPolicy.RETAIN,
  });
  slots.addGlobalSecondaryIndex({
    indexName: table.dueIndex.name,
    partitionKey: { name: table.dueIndex.partitionKey, type: AttributeType.STRING },
    sortKey: { name: table.dueIndex.sortKey, type: AttributeType.NUMBER },
    projectionType: ProjectionType.KEYS_ONLY,
  });
  return slots;
}

function restApi(scope: Construct): RestApi {
  const api = new RestApi(scope, "Api", {
    restApiName: Stack.of(scope).stackName,
    description: "Looker token broker",
    endpointTypes: [EndpointType.REGIONAL],
    // The first of the two locks: without it on a method, API Gateway verifies nobody.
    defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
    deployOptions: {
      stageName,
      // Would write tokens into the execution log.
      dataTraceEnabled: false,
    },
    // An account-wide setting; not this stack's to change.
    cloudWatchRole: false,
  });
  // RestApi adds an output of its own, under a name that nobody chose.
  api.node.tryRemoveChild("Endpoint");
  return api;
}
