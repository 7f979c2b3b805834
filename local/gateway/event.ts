/**
 * The event that a REST API passes to a Lambda proxy integration (payload format 1.0).
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html (`requestContext`)
 *
 * Everything in `requestContext` comes from the gateway: nothing that a client sends gets there, but for the user
 * agent and the path.
 */
import type { APIGatewayEventIdentity, APIGatewayProxyEvent } from "aws-lambda";
import { parseRawQuery } from "../sigv4/raw-query.ts";
import type { Credential } from "../sigv4/verify.ts";
import { rootOf } from "../trace-header.ts";
import { forwardedHeaders, groupHeaders } from "./event-headers.ts";
import type { ApiStage, InvokeStatements } from "./invoke-policy.ts";
import type { RouteMatch } from "./routes.ts";

export interface GatewayPrincipal extends Credential, InvokeStatements {
  /** As in `requestContext.identity.userArn`: `arn:aws:sts::111122223333:assumed-role/report-service/local`. */
  userArn: string;
  accountId: string;
  /** As in `identity.caller`: `AROA…:session` or `AIDA…`. */
  caller: string;
  orgId?: string;
}

export interface ReceivedRequest {
  method: string;
  /** As sent, with the stage. */
  rawPath: string;
  rawQuery: string;
  /** In the order and the case in which they came. */
  headers: readonly (readonly [string, string])[];
  body: Uint8Array;
  sourceIp: string;
  /** `HTTP/1.1` */
  protocol: string;
}

export interface EventContext extends ApiStage {
  match: RouteMatch;
  /** As sent, without the stage. */
  path: string;
  /** Who signed; undefined where the method asks for no authorization. */
  principal?: GatewayPrincipal | undefined;
  requestId: string;
  extendedRequestId: string;
  trace: string;
  now: Date;
}

export type ProxyEvent = Omit<APIGatewayProxyEvent, "requestContext"> & {
  requestContext: Omit<APIGatewayProxyEvent["requestContext"], "authorizer"> & { deploymentId: string };
};

/** Or undefined when the query string does not decode. */
export function buildEvent(request: ReceivedRequest, context: EventContext): ProxyEvent | undefined {
  const { match, path, now } = context;
  const { route } = match;
  const query = parseRawQuery(request.rawQuery, decodePlus);
  if (query === undefined) return undefined;
  const headers = forwardedHeaders(request, rootOf(context.trace), route.authorization === "AWS_IAM");
  const domainSuffix = context.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  return {
    resource: route.resource,
    // test_lambda_aws_proxy_integration of LocalStack, recorded on AWS on 2024-08-02: `requestContext.path` keeps the slashes.
    path: path.replace(/^\/+/, "/"),
    httpMethod: request.method,
    headers: lastOfEach(headers),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: query.size === 0 ? null : lastOfEach(query),
    multiValueQueryStringParameters: query.size === 0 ? null : Object.fromEntries(query),
    pathParameters: match.pathParameters,
    stageVariables: null,
    requestContext: {
      resourceId: route.resourceId,
      resourcePath: route.resource,
      httpMethod: request.method,
      extendedRequestId: context.extendedRequestId,
      requestTime: formatRequestTime(now),
      path: request.rawPath,
      accountId: context.accountId,
      protocol: request.protocol,
      stage: context.stage,
      domainPrefix: context.apiId,
      requestTimeEpoch: now.getTime(),
      requestId: context.requestId,
      identity: identityOf(request, context.principal),
      domainName: `${context.apiId}.execute-api.${context.region}.${domainSuffix}`,
      deploymentId: "local0",
      apiId: context.apiId,
    },
    // Text whatever it is: an API without binary media types never encodes.
    body: request.body.length === 0 ? null : Buffer.from(request.body).toString("utf8"),
    isBase64Encoded: false,
  };
}

function identityOf(request: ReceivedRequest, principal?: GatewayPrincipal): APIGatewayEventIdentity {
  const userAgent = groupHeaders(request.headers).find(([name]) => name.toLowerCase() === "user-agent")?.[1];
  return {
    cognitoIdentityPoolId: null,
    accountId: principal?.accountId ?? null,
    cognitoIdentityId: null,
    caller: principal?.caller ?? null,
    sourceIp: request.sourceIp,
    principalOrgId: principal?.orgId ?? null,
    accessKey: principal?.accessKeyId ?? null,
    cognitoAuthenticationType: null,
    cognitoAuthenticationProvider: null,
    userArn: principal?.userArn ?? null,
    userAgent: userAgent?.at(-1) ?? null,
    user: principal?.caller ?? null,
    apiKey: null,
    apiKeyId: null,
    clientCert: null,
  };
}

/** In a query as a form sends it, a plus is a space. */
const decodePlus = (text: string) => decodeURIComponent(text.replaceAll("+", " "));

function lastOfEach(values: Iterable<readonly [string, string[]]>): Record<string, string> {
  return Object.fromEntries([...values].map(([name, all]) => [name, all.at(-1) ?? ""]));
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** CLF, as `$context.requestTime` is documented: `20/Feb/2018:22:48:57 +0000`. */
export function formatRequestTime(now: Date): string {
  const [day, time] = [now.toISOString().slice(0, 10), now.toISOString().slice(11, 19)];
  return `${day.slice(8)}/${months[now.getUTCMonth()]}/${day.slice(0, 4)}:${time} +0000`;
}
