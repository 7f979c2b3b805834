/** One admitted request through the gateway: route, signature, policy, function, response. */
import type { InvokeResult } from "../lambda/invoke-result.ts";
import { parseAuthorization } from "../sigv4/authorization.ts";
import { type SignedRequest, verifySignature } from "../sigv4/verify.ts";
import type { LocalRoute } from "../stack/routes.ts";
import type { LoggedRequest } from "./access-log.ts";
import { buildEvent, type GatewayPrincipal, type ProxyEvent, type ReceivedRequest } from "./event.ts";
import { groupHeaders } from "./event-headers.ts";
import { type ApiStage, decideInvoke, methodArn } from "./invoke-policy.ts";
import { readProxyResponse } from "./proxy-response.ts";
import {
  eventTooLarge,
  functionFailed,
  type GatewayReply,
  integrationTimedOut,
  invocationRejected,
  malformedQuery,
  missingAuthentication,
  type Refusal,
  refuseInvoke,
  refuseSignature,
  unknownStage,
  uriTooLong,
} from "./refusals.ts";
import { matchRoute } from "./routes.ts";

export interface RequestIds {
  requestId: string;
  extendedRequestId: string;
  /** X-Ray's tracing header. */
  trace: string;
}

/** The API, its callers and its functions. */
export interface GatewayApi extends ApiStage {
  routes: readonly LocalRoute[];
  principals: { find(accessKeyId: string): GatewayPrincipal | undefined };
  /** Lambda continues the trace of the event's header. */
  invoke(functionId: string, event: ProxyEvent, trace: string): Promise<InvokeResult>;
  /**
   * 29 s unless told, the most that API Gateway waits by default.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
   */
  integrationTimeoutMs?: number;
}

export interface Answer {
  /** The function's, or the gateway's own before the API's gateway responses are applied to it. */
  reply: GatewayReply | Refusal;
  logged: Pick<LoggedRequest, "resource" | "principal" | "integration">;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "6 MB each for request and response (synchronous)" */
const maxEventBytes = 6 * 1024 * 1024;

/**
 * "When authorization is enabled on a method, the maximum length of the method's ARN […] is 1600 bytes."
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
 */
const maxMethodArnBytes = 1600;

export async function answerRequest(
  request: ReceivedRequest,
  api: GatewayApi,
  ids: RequestIds,
  now: Date,
): Promise<Answer> {
  const path = withoutStage(request.rawPath, api.stage);
  if (path === undefined) return { reply: unknownStage, logged: {} };
  const match = matchRoute(api.routes, request.method, path);
  if (match === undefined) return { reply: undeclared(request), logged: {} };

  const { resource } = match.route;
  let principal: GatewayPrincipal | undefined;
  const refused = (reply: Refusal): Answer => ({ reply, logged: { resource, principal } });
  if (match.route.authorization === "AWS_IAM") {
    const arn = methodArn(api, request.method, path);
    if (Buffer.byteLength(arn) > maxMethodArnBytes) return refused(uriTooLong);
    const verification = await verifySignature(signedRequest(request), {
      service: "execute-api",
      region: api.region,
      now,
      find: (accessKeyId) => api.principals.find(accessKeyId),
    });
    if (!verification.ok) return refused(refuseSignature(verification.fault, verification.message));
    principal = verification.credential;
    const decision = decideInvoke(principal, arn);
    if (decision !== "allowed")
      return refused(refuseInvoke(principal.userArn, arn, decision === "explicit_deny"));
  }

  const event = buildEvent(request, { ...api, ...ids, match, path, principal, now });
  if (event === undefined) return refused(malformedQuery);
  if (Buffer.byteLength(JSON.stringify(event)) > maxEventBytes) return refused(eventTooLarge);
  const began = Date.now();
  const invocation = api.invoke(match.route.functionId, event, ids.trace);
  const reply = replyOf(await withinTimeout(invocation, api.integrationTimeoutMs ?? 29_000));
  const status = "responseType" in reply ? undefined : reply.status;
  return { reply, logged: { resource, principal, integration: { latencyMs: Date.now() - began, status } } };
}

function replyOf(result: InvokeResult): GatewayReply | Refusal {
  switch (result.kind) {
    case "answer":
      return readProxyResponse(result.payload);
    case "function_error":
      return functionFailed;
    case "throttled":
      return invocationRejected;
    case "timed_out":
      return integrationTimedOut;
  }
}

/** Stops waiting for the answer. The function runs on, as on Lambda. */
function withinTimeout(invocation: Promise<InvokeResult>, timeoutMs: number): Promise<InvokeResult> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve({ kind: "timed_out" }), timeoutMs);
    invocation.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** An undeclared method is taken for one with IAM authorization, so that an odd Authorization header is told of first. */
function undeclared(request: ReceivedRequest): Refusal {
  const { authorization } = signedRequest(request).headers;
  if (authorization === undefined) return missingAuthentication;
  const parsed = parseAuthorization(authorization);
  return parsed.ok ? missingAuthentication : refuseSignature("incomplete_signature", parsed.message);
}

/** As sent, without the stage. */
function withoutStage(rawPath: string, stage: string): string | undefined {
  if (rawPath === `/${stage}`) return "/";
  return rawPath.startsWith(`/${stage}/`) ? rawPath.slice(stage.length + 1) : undefined;
}

function signedRequest(request: ReceivedRequest): SignedRequest {
  const headers = groupHeaders(request.headers).map(([name, values]) => [
    name.toLowerCase(),
    values.join(", "),
  ]);
  return { ...request, headers: Object.fromEntries(headers) };
}
