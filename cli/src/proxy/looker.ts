/**
 * Requests to Looker by Node's own HTTP client. It decodes no body and follows no redirect, and its streams go at the pace
 * of the slower side.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { pipeline } from "node:stream";
import type { SourceToken } from "@looker-token-broker/client";
import { lookerUrl } from "../looker-url.ts";
import type { RequestBody } from "../loopback/request-body.ts";
import { outboundProxy, proxyVariables } from "../outbound-proxy.ts";
import { requestHeaders } from "./headers.ts";

export interface LookerRequest {
  readonly method: string;
  /** With its query, as the client wrote it. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: RequestBody;
  readonly signal: AbortSignal;
}

/** `withToken` reads the status of this form, and throws the body away before another try. */
export interface LookerAnswer {
  readonly statusCode: number;
  readonly headers: object;
  /** Undefined where the token was dead before the request. */
  readonly message?: IncomingMessage;
  /** The URL of the Looker that answered. */
  readonly lookerUrl: string;
  readonly body: { cancel(): Promise<void> };
}

export interface Looker {
  /** Sends it to the token's own Looker, and to no other. */
  send(token: SourceToken, request: LookerRequest): Promise<LookerAnswer>;
  close(): void;
}

/** For each connection. With Node's 64 kB a large upload takes a sixth longer, because it stops after every chunk. */
const bufferedBytes = 1024 * 1024;

export function lookerOverHttp(): Looker {
  const options = { keepAlive: true, highWaterMark: bufferedBytes, ...outboundProxyOptions() };
  const agents = { "http:": new HttpAgent(options), "https:": new HttpsAgent(options) };
  const once = (token: SourceToken, request: LookerRequest): Promise<IncomingMessage> => {
    const { protocol, hostname, port, host } = lookerUrl(token.baseUrl);
    const { method, target, rawHeaders, body, signal } = request;
    const outgoing = (protocol === "https:" ? requestHttps : requestHttp)({
      agent: agents[protocol],
      host: hostname.replace(/^\[|\]$/g, ""),
      port,
      method,
      path: target,
      headers: requestHeaders(rawHeaders, { host, accessToken: token.accessToken, length: lengthOf(body) }),
      signal,
      // Also under NODE_TLS_REJECT_UNAUTHORIZED=0, because the token is for Looker alone.
      rejectUnauthorized: true,
    });
    return new Promise((resolve, reject) => {
      outgoing.once("response", resolve);
      // The listener stays: an error after the answer reaches the reader of the answer as well.
      outgoing.on("error", (error) => reject(new LookerUnreachable(host, error, outgoing.reusedSocket)));
      if (body.kind === "stream") pipeline(body.stream, outgoing, () => {});
      else outgoing.end(body.kind === "kept" ? body.bytes : undefined);
    });
  };
  return {
    async send(token, request) {
      try {
        return answerOf(await once(token, request), token.baseUrl);
      } catch (error) {
        if (!isForgottenConnection(error, request)) throw error;
        return answerOf(await once(token, request), token.baseUrl);
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Looker, or the way to it, gave no answer. */
export class LookerUnreachable extends Error {
  override readonly name = "LookerUnreachable";
  readonly onReusedSocket: boolean;

  constructor(host: string, { code, message }: NodeJS.ErrnoException, onReusedSocket: boolean) {
    super(`Looker at ${host} gave no answer (${code ?? message}).`);
    this.onReusedSocket = onReusedSocket;
  }
}

/** A server may close an idle connection just when a request is sent: https://nodejs.org/api/http.html#requestreusedsocket */
const isForgottenConnection = (error: unknown, { method, body, signal }: LookerRequest): boolean =>
  error instanceof LookerUnreachable &&
  error.onReusedSocket &&
  !signal.aborted &&
  body.kind !== "stream" &&
  /^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method);

function answerOf(message: IncomingMessage, lookerUrl: string): LookerAnswer {
  const cancel = async () => {
    message.resume();
  };
  const { statusCode = 502, headers } = message;
  return { statusCode, headers, message, lookerUrl, body: { cancel } };
}

function lengthOf(body: RequestBody): number | "chunked" | undefined {
  if (body.kind === "none") return undefined;
  return body.kind === "kept" ? body.bytes.length : (body.length ?? "chunked");
}

/** As `fetch`, which asks the broker. An agent of one's own does not take the process's setting. */
function outboundProxyOptions(): object {
  if (process.env.NODE_USE_ENV_PROXY === "1") return { proxyEnv: process.env };
  return outboundProxy().kind === "used" ? { proxyEnv: proxyVariables() } : {};
}
