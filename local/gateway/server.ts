/** The part of a REST API of API Gateway that the broker uses. README.md lists the behaviour that is not verified. */
import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readBody, splitTarget } from "../http-request.ts";
import { type Listening, listen } from "../loopback.ts";
import type { GatewayResponses } from "../stack/gateway-responses.ts";
import { continueTrace } from "../trace-header.ts";
import { type AccessLog, accessLogLine, checkAccessLogFormat } from "./access-log.ts";
import { type Answer, answerRequest, type GatewayApi, type RequestIds } from "./answer.ts";
import type { ReceivedRequest } from "./event.ts";
import { checkGatewayResponses, customize } from "./gateway-responses.ts";
import {
  bodyTooLarge,
  type GatewayReply,
  invocationRejected,
  type Refusal,
  throttled,
  uriTooLong,
} from "./refusals.ts";
import { checkRoutes } from "./routes.ts";
import { createThrottle, type ThrottleOptions } from "./throttle.ts";

export interface GatewayOptions extends GatewayApi {
  /** 0 or omitted picks a free one. */
  port?: number;
  now?: () => Date;
  /** None unless told. */
  accessLog?: AccessLog;
  /** None unless told: the gateway's own answers are as API Gateway's defaults. */
  gatewayResponses?: GatewayResponses;
  /** None unless told. */
  throttle?: ThrottleOptions;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const maxBodyBytes = 10 * 1024 * 1024;
/** The same page's length of the URL for a regional API. Authorization has a narrower limit (answer.ts). */
const maxUriBytes = 10_240;

/** The URL has the stage and no trailing slash. */
export async function startGateway(options: GatewayOptions): Promise<Listening> {
  checkRoutes(options.routes);
  checkGatewayResponses(options.gatewayResponses ?? {});
  checkAccessLogFormat(options.accessLog?.format ?? "");
  const now = options.now ?? (() => new Date());
  const throttle = options.throttle && createThrottle(options.throttle, now());
  const settings = { ...options, now, admit: () => throttle?.admit(now()) ?? true };

  // Above both limits, so that this gateway answers and not Node.
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (message, response) => {
    handle(message, response, settings).catch(() => response.destroy());
  });
  const listening = await listen(server, options.port);
  return { ...listening, url: `${listening.url}/${options.stage}` };
}

async function handle(
  message: IncomingMessage,
  response: ServerResponse,
  settings: GatewayOptions & { now: () => Date; admit(): boolean },
): Promise<void> {
  const at = settings.now();
  const ids = createIds(at, message);
  const method = message.method ?? "";
  const target = message.url ?? "";
  const { rawPath, rawQuery } = splitTarget(target);
  const sourceIp = message.socket.remoteAddress ?? "";
  let logged: Answer["logged"] = {};

  const body = await readBody(message, maxBodyBytes);
  let answered: GatewayReply | Refusal;
  if (Buffer.byteLength(target) > maxUriBytes) answered = uriTooLong;
  else if (body === undefined) answered = bodyTooLarge;
  else if (!settings.admit()) answered = throttled;
  else {
    const request: ReceivedRequest = {
      method,
      rawPath,
      rawQuery,
      headers: pairs(message.rawHeaders),
      body,
      sourceIp,
      protocol: `HTTP/${message.httpVersion}`,
    };
    try {
      ({ reply: answered, logged } = await answerRequest(request, settings, ids, at));
    } catch (error) {
      logged = { integration: { error: String(error) } };
      answered = invocationRejected;
    }
  }
  const reply =
    "responseType" in answered
      ? customize(answered, settings.gatewayResponses ?? {}, { ...ids, ...settings })
      : answered;
  send(response, { ...reply, headers: [...idHeaders(answered, ids), ...reply.headers] });
  const { accessLog } = settings;
  accessLog?.write(
    accessLogLine(accessLog.format, {
      ...ids,
      ...logged,
      at,
      method,
      path: rawPath,
      sourceIp,
      status: reply.status,
      latencyMs: settings.now().getTime() - at.getTime(),
      responseType: "responseType" in answered ? answered.responseType : undefined,
    }),
  );
}

/** A function's answer has its trace, an answer of the gateway's own has none (captures, see README.md). */
function idHeaders(answered: GatewayReply | Refusal, ids: RequestIds): [string, string][] {
  if (answered === bodyTooLarge) return [];
  return [
    ["x-amzn-RequestId", ids.requestId],
    ["x-amz-apigw-id", ids.extendedRequestId],
    ...("responseType" in answered ? [] : [["X-Amzn-Trace-Id", ids.trace] satisfies [string, string]]),
  ];
}

function send(response: ServerResponse, reply: GatewayReply): void {
  if (response.destroyed) return;
  const headers: [string, string][] = [
    ...reply.headers,
    ["Content-Length", String(Buffer.byteLength(reply.body))],
  ];
  // Several of one name (Set-Cookie, say) stay several.
  for (const [name, value] of headers) response.appendHeader(name, value);
  response.statusCode = reply.status;
  response.end(reply.body);
}

function createIds(now: Date, message: IncomingMessage): RequestIds {
  const sent = message.headers["x-amzn-trace-id"];
  return {
    requestId: randomUUID(),
    extendedRequestId: `${randomBytes(11).toString("base64url")}=`,
    // An upstream service may have begun the trace, so the sender of the header chooses its root.
    trace: continueTrace(Array.isArray(sent) ? sent.join(",") : sent, now),
  };
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  return rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : [],
  );
}
