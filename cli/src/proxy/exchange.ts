/** One request of a tool, from its route to its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type RequestBody, requestBody } from "../loopback/request-body.ts";
import { answerHeaders } from "./headers.ts";
import type { LocalSession, LocalTokens } from "./local-tokens.ts";
import { loginFields } from "./login-fields.ts";
import type { LookerAnswer, LookerRequest } from "./looker.ts";
import { lookerError, sendReply } from "./looker-reply.ts";
import { isSamePair, type LocalPair } from "./pair.ts";
import { type Route, routeOf } from "./route.ts";
import { isWorkspaceName, production, type Workspaces } from "./workspaces.ts";

export interface ExchangeOptions {
  readonly pair: LocalPair;
  readonly tokens: LocalTokens;
  readonly workspaces: Workspaces;
  readonly allowCredentials: boolean;
  /** `http://127.0.0.1:PORT`, for redirects. */
  readonly proxyUrl: string;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The tool has gone away. */
  readonly signal: AbortSignal;
  /** Lets a waiting client (`Expect: 100-continue`) send its body. */
  invite(): void;
}

/** Logins, and changes of a session: a few fields. */
const mostFieldsBytes = 16 * 1024;

export async function answer(exchange: Exchange, options: ExchangeOptions): Promise<void> {
  const { request, response } = exchange;
  const { method = "", url: target = "" } = request;
  const route = routeOf(method, target);
  if (route === undefined) return sendReply(response, lookerError(400, "This path can be read in two ways."));
  if (route === "login") return method === "POST" ? logIn(exchange, options) : notFound(response);
  const { authorization } = request.headers;
  if (route === "logout") {
    if (method !== "DELETE" || !options.tokens.end(authorization)) return notFound(response);
    response.writeHead(204).end();
    return;
  }
  const session = options.tokens.find(authorization);
  if (!session) return sendReply(response, lookerError(401));
  if (route === "credentials" && !options.allowCredentials)
    return sendReply(
      response,
      lookerError(
        403,
        "looker-token's proxy makes no other Looker credentials: --allow-credentials lets it.",
      ),
    );
  await forward(exchange, options, session, route);
}

async function logIn(exchange: Exchange, { pair, tokens, workspaces }: ExchangeOptions): Promise<void> {
  const { request, response, signal } = exchange;
  const body = await fieldsOf(exchange);
  if (body === undefined) return tooLarge(response);
  const given = loginFields({
    contentType: request.headers["content-type"] ?? "",
    body: body.toString(),
    target: request.url ?? "",
  });
  if (!isSamePair(given, pair)) return notFound(response);
  const { expiresAt } = await workspaces.get(production).token(signal);
  const expires_in = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1_000));
  // The rest of the lease, so that a careful tool logs in again in time.
  const token = { access_token: tokens.issue(), token_type: "Bearer", expires_in, refresh_token: null };
  sendReply(response, { status: 200, body: token });
}

async function forward(
  exchange: Exchange,
  options: ExchangeOptions,
  session: LocalSession,
  route: Route,
): Promise<void> {
  const { request, response } = exchange;
  if (route === "session") return changeSession(exchange, options, session);
  exchange.invite();
  const body = await requestBody(request);
  const looker = await options.workspaces.get(session.workspace).send(lookerRequest(exchange, body));
  await relay(looker, response, options.proxyUrl);
}

/** Reads `PATCH /session`, because another workspace needs another token. */
async function changeSession(
  exchange: Exchange,
  options: ExchangeOptions,
  session: LocalSession,
): Promise<void> {
  const { request, response } = exchange;
  if (request.method !== "PATCH") return notFound(response);
  const body = await fieldsOf(exchange);
  if (body === undefined) return tooLarge(response);
  const change = objectIn(body);
  const wanted = change && ("workspace_id" in change ? change.workspace_id : session.workspace);
  if (!change || typeof wanted !== "string" || !isWorkspaceName(wanted))
    return sendReply(
      response,
      lookerError(422, "Validation Failed: workspace_id must be a workspace's name."),
    );
  // Written anew, so that Looker cannot read another workspace out of the same bytes.
  const kept: RequestBody = { kind: "kept", bytes: Buffer.from(JSON.stringify(change)) };
  const looker = await options.workspaces.get(wanted).sendChoice(lookerRequest(exchange, kept));
  if (looker.statusCode >= 200 && looker.statusCode < 300) session.workspace = wanted;
  await relay(looker, response, options.proxyUrl);
}

function lookerRequest({ request, signal }: Exchange, body: RequestBody): LookerRequest {
  const { method = "", url: target = "", rawHeaders } = request;
  return { method, target, rawHeaders, body, signal };
}

async function relay(
  { message, lookerUrl }: LookerAnswer,
  response: ServerResponse,
  proxyUrl: string,
): Promise<void> {
  if (!message) return sendReply(response, lookerError(401));
  response.writeHead(
    message.statusCode ?? 502,
    message.statusMessage,
    answerHeaders(message.rawHeaders, { lookerUrl, proxyUrl }),
  );
  // The first byte may be minutes behind the headers.
  response.flushHeaders();
  await pipeline(message, response);
}

/** Undefined: larger than any login or change of a session. */
async function fieldsOf(exchange: Exchange): Promise<Buffer | undefined> {
  exchange.invite();
  const body = await requestBody(exchange.request, mostFieldsBytes);
  if (body.kind === "stream") return undefined;
  return body.kind === "kept" ? body.bytes : Buffer.alloc(0);
}

function objectIn(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const notFound = (response: ServerResponse) => sendReply(response, lookerError(404));
const tooLarge = (response: ServerResponse) =>
  sendReply(response, lookerError(413, "The body is too large for this path."));
