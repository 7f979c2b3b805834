/** One admitted request through the gateway: route, signature, policy, function, response. */
import type { InvokeResult } from "../lambda/invoke-result.ts";
import { type SignedRequest, verifySignature } from "../sigv4/verify.ts";
import type { LocalRoute } from "../stack/routes.ts";
import { buildEvent, type GatewayPrincipal, type ProxyEvent, type ReceivedRequest } from "./event.ts";
import { groupHeaders } from "./event-headers.ts";
import { type ApiStage, decideInvoke, methodArn } from "./invoke-policy.ts";
import { readProxyResponse } from "./proxy-response.ts";
import {
  functionFailed,
  type GatewayReply,
  integrationTimedOut,
  invocationRejected,
  malformedRequest,
  missingAuthentication,
  type Refusal,
  refuseInvoke,
  refuseSignature,
  unknownStage,
} from "./refusals.ts";
import { matchRoute } from "./routes.ts";

export interface RequestIds {
  requestId: string;
  extendedRequestId: string;
  traceId: string;
}

/** The API, its callers and its functions. */
export interface GatewayApi extends ApiStage {
  routes: readonly LocalRoute[];
  principals: { find(accessKeyId: string): GatewayPrincipal | undefined };
  /** Lambda continues the trace of `traceRoot`, the root in the event's header. */
  invoke(functionId: string, event: ProxyEvent, traceRoot: string): Promise<InvokeResult>;
  /**
   * 29 s unless told, the most that API Gateway waits by default.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
   */
  integrationTimeoutMs?: number;
}

export interface Answer {
  /** The function's, or the gateway's own before the API's gateway responses are applied to it. */
  reply: GatewayReply | Refusal;
  /** For the access log. */
  logged: { resource?: string; userArn?: string };
}

export async function answerRequest(
  request: ReceivedRequest,
  api: GatewayApi,
  ids: RequestIds,
  now: Date,
): Promise<Answer> {
  const path = withoutStage(request.rawPath, api.stage);
  if (path === undefined) return { reply: unknownStage, logged: {} };
  const match = matchRoute(api.routes, request.method, path);
  if (match === "no_route") return { reply: missingAuthentication, logged: {} };
  if (match === "malformed_path") return { reply: malformedRequest, logged: {} };

  const logged: Answer["logged"] = { resource: match.route.resource };
  let principal: GatewayPrincipal | undefined;
  if (match.route.authorization === "AWS_IAM") {
    const verification = await verifySignature(signedRequest(request), {
      service: "execute-api",
      region: api.region,
      now,
      find: (accessKeyId) => api.principals.find(accessKeyId),
    });
    if (!verification.ok) return { reply: refuseSignature(verification.fault, verification.message), logged };
    principal = verification.credential;
    logged.userArn = principal.userArn;
    const arn = methodArn(api, request.method, path);
    const decision = decideInvoke(principal, arn);
    if (decision !== "allowed")
      return { reply: refuseInvoke(principal.userArn, arn, decision === "explicit_deny"), logged };
  }

  const event = buildEvent(request, { ...api, ...ids, match, path, principal, now });
  if (event === undefined) return { reply: malformedRequest, logged };
  const result = await withinTimeout(
    api.invoke(match.route.functionId, event, ids.traceId),
    api.integrationTimeoutMs ?? 29_000,
  );
  return { reply: replyOf(result), logged };
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
