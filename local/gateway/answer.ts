/** One request through the gateway: throttle, route, signature, policy, function, response. */
import { type SignedRequest, verifySignature } from "../sigv4/verify.ts";
import { buildEvent, type GatewayPrincipal, type ProxyEvent, type ReceivedRequest } from "./event.ts";
import { groupHeaders } from "./event-headers.ts";
import { decideInvoke, methodArn } from "./invoke-policy.ts";
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
  throttled,
  unknownStage,
} from "./refusals.ts";
import { matchRoute, type Route } from "./routes.ts";

export type InvokeResult =
  | { kind: "answer"; payload: unknown }
  | { kind: "function_error"; payload: unknown }
  | { kind: "throttled" }
  | { kind: "timed_out" };

export interface RequestIds {
  requestId: string;
  extendedRequestId: string;
  traceId: string;
}

export interface AnswerSettings {
  region: string;
  partition?: string;
  accountId: string;
  apiId: string;
  stage: string;
  routes: readonly Route[];
  principals: { find(accessKeyId: string): GatewayPrincipal | undefined };
  invoke(functionId: string, event: ProxyEvent): Promise<InvokeResult>;
  admit(): boolean;
  integrationTimeoutMs?: number;
}

export interface Answer {
  /** The function's, or the gateway's own before the API's gateway responses are applied to it. */
  reply: GatewayReply | Refusal;
  /** For the access log. */
  noted: { resource?: string; userArn?: string };
}

export async function answerRequest(
  request: ReceivedRequest,
  settings: AnswerSettings,
  ids: RequestIds,
  now: Date,
): Promise<Answer> {
  if (!settings.admit()) return { reply: throttled, noted: {} };
  const path = withoutStage(request.rawPath, settings.stage);
  if (path === undefined) return { reply: unknownStage, noted: {} };
  const match = matchRoute(settings.routes, request.method, path);
  if (match === "no_route") return { reply: missingAuthentication, noted: {} };
  if (match === "malformed_path") return { reply: malformedRequest, noted: {} };

  const noted: Answer["noted"] = { resource: match.route.resource };
  const place = { ...settings, partition: settings.partition ?? "aws" };
  let principal: GatewayPrincipal | undefined;
  if (match.route.authorization === "AWS_IAM") {
    const verification = await verifySignature(signedRequest(request), {
      service: "execute-api",
      region: settings.region,
      now,
      find: (accessKeyId) => settings.principals.find(accessKeyId),
    });
    if (!verification.ok) return { reply: refuseSignature(verification.fault, verification.message), noted };
    principal = verification.credential;
    noted.userArn = principal.userArn;
    const arn = methodArn(place, request.method, path);
    const decision = decideInvoke(principal, arn);
    if (decision !== "allowed")
      return { reply: refuseInvoke(principal.userArn, arn, decision === "explicit_deny"), noted };
  }

  const event = buildEvent(request, { ...place, ...ids, match, path, principal, now });
  if (event === undefined) return { reply: malformedRequest, noted };
  const result = await withinTimeout(
    settings.invoke(match.route.functionId, event),
    settings.integrationTimeoutMs ?? 29_000,
  );
  return { reply: replyOf(result), noted };
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

/** The function runs on, as on Lambda; only its answer is no longer waited for. */
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
