/** API Gateway's events, and a function behind it that is sent them: its answers, without a network. */
import { resources } from "../../../functions/contract.ts";
import { type ApiOptions, apiHandler } from "../../../functions/http/api-handler.ts";
import { mustBeDocumented } from "../openapi/document.ts";
import { account, scopes } from "./in-memory-broker.ts";

export const apiId = "a1b2c3d4e5";
export const stage = "v1";

export interface IdentityFields {
  userArn: unknown;
  caller: unknown;
  accountId: unknown;
  [field: string]: unknown;
}

/** A session of a role, as API Gateway names it. */
export const roleIdentity = (
  name = "report-service",
  { uniqueId = "AROAREPORTSERVICE000", session = "local", accountId = account } = {},
): IdentityFields => ({
  userArn: `arn:aws:sts::${accountId}:assumed-role/${name}/${session}`,
  caller: `${uniqueId}:${session}`,
  accountId,
});

export interface Call {
  method?: string;
  resource?: string;
  scope?: unknown;
  clientId?: unknown;
  identity?: object;
  body?: unknown;
  /** Of the event, over everything else. */
  event?: object;
  context?: object;
  requestContext?: object;
}

export function apiEvent(call: Call = {}): Record<string, unknown> {
  const { method = "POST", resource = resources.token, scope = "sales", identity = roleIdentity() } = call;
  const { clientId = "clientOne" } = call;
  const segment = (value: unknown) => (typeof value === "string" ? encodeURIComponent(value) : "");
  const path = resource.replace("{scope}", segment(scope)).replace("{client_id}", segment(clientId));
  return {
    resource,
    path,
    httpMethod: method,
    headers: { host: `${apiId}.execute-api.eu-west-1.amazonaws.com` },
    multiValueHeaders: {},
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: resource.includes("{scope}")
      ? { scope, ...(resource.includes("{client_id}") && { client_id: clientId }) }
      : null,
    stageVariables: null,
    requestContext: {
      accountId: account,
      apiId,
      stage,
      requestId: "11111111-2222-3333-4444-555555555555",
      httpMethod: method,
      resourcePath: resource,
      path: `/${stage}${path}`,
      protocol: "HTTP/1.1",
      identity: { sourceIp: "192.0.2.10", userAgent: "test", cognitoIdentityId: null, ...identity },
      ...call.requestContext,
    },
    body: call.body === undefined || call.body === null ? null : bodyText(call.body),
    isBase64Encoded: false,
    ...call.event,
  };
}

const bodyText = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body));

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is read field by field, and compared.
  body: any;
}

export type Send = (event: unknown, context?: object) => Promise<Answer>;

type FunctionOptions = Pick<ApiOptions, "routes" | "audit"> & Partial<Pick<ApiOptions, "scopes">>;

/** A function with these routes. */
export function apiFunction(options: FunctionOptions): Send {
  const handler = apiHandler({ apiId, stage, scopes, ...options });
  return async (event, context = {}) => {
    const { statusCode, headers, body } = await handler(event, context);
    return { status: statusCode, headers, text: body, body: JSON.parse(body) };
  };
}

/** One of the deployed functions: whatever it answers, docs/reference/openapi.yaml has to say. */
export function documentedFunction(options: FunctionOptions): Send {
  const ask = apiFunction(options);
  return async (event, context) => {
    const answer = await ask(event, { awsRequestId: "lambda-request-1", ...context });
    mustBeDocumented(event, answer);
    return answer;
  };
}
