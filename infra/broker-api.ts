/** The REST API with its one stage: who may reach it, what it logs and counts, what it answers by itself. */
import { type RemovalPolicy, Validations } from "aws-cdk-lib";
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  IpAddressType,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseType,
  RestApi,
  SecurityPolicy,
} from "aws-cdk-lib/aws-apigateway";
import type { ICertificate } from "aws-cdk-lib/aws-certificatemanager";
import { Unit } from "aws-cdk-lib/aws-cloudwatch";
import type { PolicyDocument } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { FilterPattern, LogGroup, MetricFilter, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { ARecord, type IHostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { ApiGateway } from "aws-cdk-lib/aws-route53-targets";
import { Construct } from "constructs";
import { metricDimensions, metricNames, metricNamespace, stageName } from "../functions/contract.ts";

export interface CustomDomain {
  /** The name, such as `looker-tokens.example.com`. */
  readonly domainName: string;
  /** A certificate of the same region. */
  readonly certificate: ICertificate;
  /**
   * Gets an alias record.
   * @default - no record: point a CNAME at the domain's regional name yourself
   */
  readonly hostedZone?: IHostedZone;
}

export interface BrokerApiProps {
  /** The broker's name. */
  readonly broker: string;
  readonly policy: PolicyDocument;
  readonly private: boolean;
  readonly domain?: CustomDomain;
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  readonly createCloudWatchRole: boolean;
  readonly logRetention: RetentionDays;
  readonly logEncryptionKey?: IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** No body, no query, no header: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html */
const accessLog = (broker: string) => ({
  time: "$context.requestTime",
  request_id: "$context.requestId",
  /** The caller may choose it. */
  unverified_trace_id: "$context.xrayTraceId",
  method: "$context.httpMethod",
  resource: "$context.resourcePath",
  path: "$context.path",
  status: "$context.status",
  caller: "$context.identity.caller",
  user_arn: "$context.identity.userArn",
  source_ip: "$context.identity.sourceIp",
  vpc_endpoint: "$context.identity.vpceId",
  latency_ms: "$context.responseLatency",
  integration_ms: "$context.integration.latency",
  integration_status: "$context.integration.status",
  /** A constant, for the metrics that are made from this log: their dimension must be a field. */
  [metricDimensions.broker]: broker,
  /** Which of API Gateway's own answers it was. Its message can repeat the signed headers and the query. */
  error: "$context.error.responseType",
});

export class BrokerApi extends Construct {
  readonly restApi: RestApi;
  readonly accessLogGroup: LogGroup;
  /** The URL to which callers append `/scopes/…`, without a trailing slash. */
  readonly endpoint: string;

  constructor(scope: Construct, id: string, props: BrokerApiProps) {
    super(scope, id);
    const { domain } = props;
    this.accessLogGroup = new LogGroup(this, "AccessLogs", {
      retention: props.logRetention,
      ...(props.logEncryptionKey && { encryptionKey: props.logEncryptionKey }),
      removalPolicy: props.removalPolicy,
    });
    this.restApi = new RestApi(this, "RestApi", {
      // A dimension of its metrics: two brokers of one stack must not share it.
      restApiName: props.broker,
      description: "Looker token broker",
      endpointConfiguration: {
        types: [props.private ? EndpointType.PRIVATE : EndpointType.REGIONAL],
        // A private API knows no other, and becomes a regional one only if it keeps it:
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-ip-address-type.html
        ipAddressType: IpAddressType.DUAL_STACK,
      },
      policy: props.policy,
      ...(domain && {
        domainName: {
          domainName: domain.domainName,
          certificate: domain.certificate,
          endpointType: EndpointType.REGIONAL,
          securityPolicy: SecurityPolicy.TLS_1_2,
        },
        // One name: what is logged, allowed and blocked by it is all there is.
        disableExecuteApiEndpoint: true,
      }),
      // The first of the two locks: without it on a method, API Gateway verifies nobody.
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
      deployOptions: {
        stageName,
        tracingEnabled: true,
        accessLogDestination: new LogGroupLogDestination(this.accessLogGroup),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLog(props.broker))),
        throttlingRateLimit: props.throttle.rateLimit,
        throttlingBurstLimit: props.throttle.burstLimit,
        // Execution logs lie in a group of API Gateway's own making, which keeps them for ever; with data tracing
        // they would hold tokens.
        loggingLevel: MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        // A cached answer would be a token of somebody else.
        cachingEnabled: false,
      },
      cloudWatchRole: props.createCloudWatchRole,
      // One setting for the account and region: other APIs may have come to rely on it when this stack goes.
      ...(props.createCloudWatchRole && { cloudWatchRoleRemovalPolicy: props.removalPolicy }),
    });
    // RestApi adds an output of its own, under a name that nobody chose.
    this.restApi.node.tryRemoveChild("Endpoint");
    this.answerWhatClientsUnderstand();
    this.countThrottles(props.broker);
    Validations.of(this.restApi).acknowledge(
      {
        id: "AwsSolutions::AwsSolutions-APIG2",
        reason: "The handlers check all input, and answer with problems that say what to do.",
      },
      {
        id: "AwsSolutions::AwsSolutions-APIG3",
        reason:
          "Every method demands a signature that IAM verifies. A web ACL can be associated with the stage.",
      },
      {
        id: "AwsSolutions::AwsSolutions-APIG6",
        reason:
          "There are access logs and audit records; execution logs could hold what callers and functions send.",
      },
      {
        id: "AwsSolutions::AwsSolutions-COG4",
        reason: "Callers are IAM principals: every method is AWS_IAM.",
      },
      {
        id: "AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        reason:
          "The account's logging role, on request: the policy that API Gateway's documentation names for it.",
      },
    );

    if (domain?.hostedZone)
      new ARecord(this, "AliasRecord", {
        zone: domain.hostedZone,
        recordName: `${domain.domainName}.`,
        target: RecordTarget.fromAlias(new ApiGateway(this.restApi)),
      });
    this.endpoint = domain
      ? `https://${domain.domainName}`
      : this.restApi.deploymentStage.urlForPath().replace(/\/$/, "");
  }

  /**
   * A throttle says when to come back; whatever keeps a function from answering (its own concurrency, a time-out, a
   * crash) is "not now" and not, as API Gateway would have it, one of 500, 502 and 504. The bodies stay API Gateway's.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
   */
  private answerWhatClientsUnderstand(): void {
    const responseHeaders = { "Retry-After": "'1'" };
    this.restApi.addGatewayResponse("Throttled", {
      type: ResponseType.THROTTLED,
      statusCode: "429",
      responseHeaders,
    });
    this.restApi.addGatewayResponse("Unavailable", {
      type: ResponseType.DEFAULT_5XX,
      statusCode: "503",
      responseHeaders,
    });
  }

  /**
   * API Gateway's own metrics count a throttled request among all 4xx. Its type is THROTTLED for the stage's throttle and for
   * the account's. QUOTA_EXCEEDED is of usage plans, and the broker has none.
   *
   * "You can specify any of the properties in the metric filter as a dimension", so the pattern names the dimension's field. A
   * filter with a dimension has no default value: there is no data while nothing is throttled.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
   */
  private countThrottles(broker: string): void {
    const field = `$.${metricDimensions.broker}`;
    new MetricFilter(this, "Throttles", {
      logGroup: this.accessLogGroup,
      filterPattern: FilterPattern.all(
        FilterPattern.stringValue(field, "=", broker),
        FilterPattern.stringValue("$.error", "=", ResponseType.THROTTLED.responseType),
      ),
      metricNamespace,
      metricName: metricNames.gatewayThrottles,
      dimensions: { [metricDimensions.broker]: field },
      unit: Unit.COUNT,
    });
  }
}
