import { Match } from "aws-cdk-lib/assertions";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { describe, expect, it } from "vitest";
import type { TokenBrokerStack } from "../../../infra/stack.ts";
import { TokenBroker } from "../../../infra/token-broker.ts";
import { accessLogMetrics, loggedRequest } from "../../support/audit/access-log.ts";
import {
  account,
  type Synthesized,
  scopeOf,
  synthesizedForFile,
  synthesizedHere,
} from "../../support/synthesized.ts";

const broker = synthesizedForFile();

describe("the API", () => {
  it("is regional and has one stage, which neither traces data nor caches", () => {
    const { template } = broker;
    template.hasResourceProperties("AWS::ApiGateway::RestApi", {
      EndpointConfiguration: { Types: ["REGIONAL"], IpAddressType: "dualstack" },
    });
    template.resourceCountIs("AWS::ApiGateway::Stage", 1);
    template.hasResourceProperties("AWS::ApiGateway::Stage", {
      StageName: "v1",
      CacheClusterEnabled: Match.absent(),
      TracingEnabled: true,
      MethodSettings: [
        {
          HttpMethod: "*",
          ResourcePath: "/*",
          DataTraceEnabled: false,
          LoggingLevel: "OFF",
          CachingEnabled: false,
          ThrottlingRateLimit: Match.anyValue(),
          ThrottlingBurstLimit: Match.anyValue(),
        },
      ],
    });
  });

  it("demands AWS_IAM on every method, and no method is without it", () => {
    const methods = broker.ofType("AWS::ApiGateway::Method");
    expect(methods.map(([, { Properties }]) => Properties.AuthorizationType)).toEqual(
      Array(9).fill("AWS_IAM"),
    );
  });

  it("may invoke each function by its own methods only, and not from the test page", () => {
    const sources = broker.ofType("AWS::Lambda::Permission").map(([, { Properties }]) => {
      expect(Properties).toMatchObject({
        Action: "lambda:InvokeFunction",
        Principal: "apigateway.amazonaws.com",
      });
      return [JSON.stringify(Properties.FunctionName), JSON.stringify(Properties.SourceArn)];
    });
    const byFunction = (list: string[][]) => list.toSorted(([a = ""], [b = ""]) => a.localeCompare(b));
    expect(byFunction(sources)).toEqual([
      [expect.stringContaining("IssueToken"), expect.stringContaining("/POST/scopes/*/token")],
      [expect.stringContaining("IssueToken"), expect.stringContaining("/GET/scopes")],
      [expect.stringContaining("Logout"), expect.stringContaining("/POST/scopes/*/logout")],
      [expect.stringContaining("Operate"), expect.stringContaining("/GET/scopes/*/leases")],
      [expect.stringContaining("Operate"), expect.stringContaining("/DELETE/scopes/*/leases")],
      [expect.stringContaining("Operate"), expect.stringContaining("/GET/scopes/*/account")],
      [expect.stringContaining("Operate"), expect.stringContaining("/PUT/scopes/*/freeze")],
      [expect.stringContaining("Operate"), expect.stringContaining("/DELETE/scopes/*/freeze")],
      [expect.stringContaining("Operate"), expect.stringContaining("/DELETE/scopes/*/denials/*")],
    ]);
    expect(JSON.stringify(sources)).not.toContain("test-invoke-stage");
  });

  it("logs who called what and how it ended, and nothing of bodies, queries or headers", () => {
    const [, { Properties: stage }] = broker.one("AWS::ApiGateway::Stage");
    const format: Record<string, string> = JSON.parse(stage.AccessLogSetting.Format);
    // Not `error.message`: of a wrong signature it repeats the query and the signed headers, session token included.
    const { broker: constant, ...variables } = format;
    expect(constant).toBe("looker-token-broker/Broker");
    expect(Object.values(variables)).toEqual(
      [
        "requestTime",
        "requestId",
        "xrayTraceId",
        "httpMethod",
        "resourcePath",
        "path",
        "status",
        "identity.caller",
        "identity.userArn",
        "identity.sourceIp",
        "identity.vpceId",
        "responseLatency",
        "integration.latency",
        "integration.status",
        "error.responseType",
      ].map((variable) => `$context.${variable}`),
    );
    expect(JSON.stringify(stage.AccessLogSetting.DestinationArn)).toContain("AccessLogs");
  });

  describe("counts throttled requests in its access log", () => {
    const requestsOf = (made: Synthesized) => [
      loggedRequest(made, 1, { status: 429, responseType: "THROTTLED" }),
      // `too_many_mints`, which a function answered.
      loggedRequest(made, 2, { status: 429, integration: { latencyMs: 1, status: 429 } }),
      loggedRequest(made, 3, { status: 200, integration: { latencyMs: 1, status: 200 } }),
      loggedRequest(made, 4, { status: 403, responseType: "ACCESS_DENIED" }),
      loggedRequest(made, 5, { status: 503, responseType: "INTEGRATION_FAILURE" }),
    ];
    const counted = (name: string) => ({
      namespace: "LookerTokenBroker",
      name: "GatewayThrottles",
      value: 1,
      at: 1,
      dimensions: { broker: name },
    });

    it("and no other answers", () => {
      expect(accessLogMetrics(broker, requestsOf(broker))).toEqual([counted("looker-token-broker/Broker")]);
    });

    it("under the name of each of two brokers of one account", () => {
      const other = (stack: TokenBrokerStack) =>
        new TokenBroker(stack, "Other", { scopes: { sales: scopeOf({ secretName: "looker/sales" }) } });
      const two = synthesizedHere({ prepare: other });
      for (const [id, name] of [
        ["BrokerApi", "looker-token-broker/Broker"],
        ["OtherApi", "looker-token-broker/Other"],
      ] as const) {
        const own = { ...two, one: (type: string) => two.one(type, id) };
        expect(accessLogMetrics(own, requestsOf(own))).toEqual([counted(name)]);
        const another = requestsOf(broker).map((event) => ({
          ...event,
          message: event.message.replace("looker-token-broker/Broker", "another"),
        }));
        expect(accessLogMetrics(own, another)).toEqual([]);
      }
    });

    it("in the log that the stage writes", () => {
      const { LogGroupName } = broker.one("AWS::Logs::MetricFilter")[1].Properties;
      const { DestinationArn } = broker.one("AWS::ApiGateway::Stage")[1].Properties.AccessLogSetting;
      expect(JSON.stringify(DestinationArn)).toContain(LogGroupName.Ref);
    });
  });

  it("leaves the account's logging role alone unless told to create it", () => {
    broker.template.resourceCountIs("AWS::ApiGateway::Account", 0);
    const { template } = synthesizedHere({ settings: () => ({ cloudWatchRole: "create" }) });
    // Other APIs of the account may have come to rely on it.
    template.hasResource("AWS::ApiGateway::Account", { DeletionPolicy: "RetainExceptOnCreate" });
  });

  it("answers a throttle with when to come back, and each of its own failures with 503", () => {
    const responses = broker
      .ofType("AWS::ApiGateway::GatewayResponse")
      .map(([, { Properties }]) => Properties);
    const header = { "gatewayresponse.header.Retry-After": "'1'" };
    expect(responses).toEqual([
      expect.objectContaining({ ResponseType: "THROTTLED", StatusCode: "429", ResponseParameters: header }),
      expect.objectContaining({ ResponseType: "DEFAULT_5XX", StatusCode: "503", ResponseParameters: header }),
    ]);
  });

  it("takes 200 requests a second and bursts of 400, or what the settings say", () => {
    const throttleOf = ({ one }: Synthesized) => {
      const [settings] = one("AWS::ApiGateway::Stage")[1].Properties.MethodSettings;
      return [settings.ThrottlingRateLimit, settings.ThrottlingBurstLimit];
    };
    expect(throttleOf(broker)).toEqual([200, 400]);
    const made = synthesizedHere({ settings: () => ({ throttle: { rateLimit: 5, burstLimit: 7 } }) });
    expect(throttleOf(made)).toEqual([5, 7]);
  });

  it("tells its endpoint without a trailing slash", () => {
    const { Value } = broker.template.toJSON().Outputs.Endpoint as { Value: unknown };
    expect(JSON.stringify(Value)).toMatch(/Stagev1\w+"\}\]\]\}$/);
  });
});

describe("with a name of its own", () => {
  const domain = (stack: ConstructorParameters<typeof Certificate>[0], zone: boolean) => ({
    domain: {
      domainName: "looker-tokens.example.com",
      certificate: Certificate.fromCertificateArn(
        stack,
        "Certificate",
        `arn:aws:acm:eu-central-1:${account}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab`,
      ),
      ...(zone && {
        hostedZone: HostedZone.fromHostedZoneAttributes(stack, "Zone", {
          hostedZoneId: "Z123456789ABC",
          zoneName: "example.com",
        }),
      }),
    },
  });

  it("is reachable by that name only", () => {
    const { template } = synthesizedHere({ settings: (stack) => domain(stack, true) });
    template.hasResourceProperties("AWS::ApiGateway::RestApi", { DisableExecuteApiEndpoint: true });
    template.hasResourceProperties("AWS::ApiGateway::DomainName", {
      DomainName: "looker-tokens.example.com",
      EndpointConfiguration: { Types: ["REGIONAL"] },
      SecurityPolicy: "TLS_1_2",
    });
    template.hasResourceProperties("AWS::Route53::RecordSet", {
      Name: "looker-tokens.example.com.",
      Type: "A",
    });
    expect(template.toJSON().Outputs.Endpoint.Value).toBe("https://looker-tokens.example.com");
  });

  it("writes no record where the zone is somebody else's", () => {
    const { template } = synthesizedHere({ settings: (stack) => domain(stack, false) });
    template.resourceCountIs("AWS::Route53::RecordSet", 0);
  });
});
