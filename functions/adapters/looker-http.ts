/**
 * HTTP exchanges with Looker. Of one that failed, the most important fact is kept: whether the request was sent. A login that
 * was not sent made no token, and may be tried again.
 */
import http from "node:http";
import https from "node:https";

/** Real answers to a login and a logout are under 1 KB. */
const usualAnswerBytes = 65_536;

export interface LookerRequest {
  readonly baseUrl: string;
  readonly method: "POST" | "PATCH" | "DELETE" | "GET";
  /** Below `/api/4.0`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** More of the answer is not read. 64 KiB by default. */
  readonly maxAnswerBytes?: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** There was more: `text` is only its beginning. */
  readonly tooLarge: boolean;
}

/** `reason`: an error code of Node's, or a word from here; never a message, which may name hosts or quote content. */
export type Exchange =
  | Answer
  /** The request was certainly not sent, or refused by the TLS layer that it was sent through. */
  | { readonly kind: "unreached"; readonly reason: string }
  /** It was sent, and no whole answer came. */
  | { readonly kind: "unanswered"; readonly reason: string }
  /** It was sent, and something answered that does not speak HTTP. */
  | { readonly kind: "not_http"; readonly reason: "not_http" };

export interface LookerHttp {
  /** Over a connection of its own. */
  sendOnce(request: LookerRequest): Promise<Exchange>;
  /** For what may be sent twice: over a kept connection, and over a new one when the kept one turns out to be closed. */
  sendIdempotent(request: LookerRequest): Promise<Exchange>;
  /**
   * Closes idle connections, and those in use after their answer. To be called at an invocation's begin and end: a process that
   * is frozen in between does not hear that the other end, or a NAT gateway, has given its connections up.
   */
  disconnect(): void;
}

export function lookerHttp(): LookerHttp {
  let agents: { [protocol: string]: http.Agent } = {};
  /** Made when needed: most invocations never ask Looker. */
  const agentFor = ({ protocol }: URL): http.Agent => {
    agents[protocol] ??= new (protocol === "https:" ? https : http).Agent({ keepAlive: true });
    return agents[protocol];
  };
  return {
    sendOnce: async (request) => (await exchange(request, urlOf(request), false)).result,
    async sendIdempotent(request) {
      const url = urlOf(request);
      const { result, reused } = await exchange(request, url, agentFor(url));
      // Looker may close an idle connection at the moment of its next use (RFC 9112 §9.5). A time-out is no such sign.
      const wasClosed = reused && result.kind === "unanswered" && !request.signal.aborted;
      return wasClosed ? (await exchange(request, url, false)).result : result;
    },
    disconnect() {
      for (const agent of Object.values(agents)) retire(agent);
      agents = {};
    },
  };
}

const urlOf = ({ baseUrl, path }: LookerRequest) => new URL(`/api/4.0${path}`, baseUrl);

/** Not `agent.destroy()`: that would also break what is under way, and make its outcome unknown. */
function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
}

/** Never rejects. Redirects are not followed: one would carry the secret or the token to a host that nobody reviewed. */
function exchange(
  { method, headers, body, maxAnswerBytes = usualAnswerBytes, signal }: LookerRequest,
  url: URL,
  agent: http.Agent | false,
): Promise<{ result: Exchange; reused: boolean }> {
  return new Promise((resolve) => {
    let sent = false;
    let spokeHttp = false;
    const isTls = url.protocol === "https:";
    const request = (isTls ? https : http).request(url, {
      method,
      headers: { accept: "application/json", "accept-encoding": "identity", ...headers },
      agent,
      signal,
    });
    const settle = (result: Exchange) => resolve({ result, reused: request.reusedSocket });
    request.once("socket", (socket) => {
      sent = request.reusedSocket;
      if (sent) return;
      // Until then Node holds the request back: before the handshake and the certificate's check nothing of it is on the wire.
      socket.once(isTls ? "secureConnect" : "connect", () => {
        sent = true;
      });
    });
    request.once("information", () => {
      spokeHttp = true;
    });
    request.once("response", (response) => void readAnswer(response, maxAnswerBytes, signal).then(settle));
    request.once("upgrade", ({ statusCode, headers }, socket) => {
      socket.destroy();
      settle({ kind: "answer", status: statusCode ?? 0, headers, text: "", tooLarge: false });
    });
    // Also for what comes after the answer: an error that nobody hears would end the process.
    request.on("error", (error) => settle(sent ? afterSending(error, spokeHttp, signal) : unreached(error)));
    request.end(body);

    function unreached(error: Error): Exchange {
      return { kind: "unreached", reason: reasonOf(error, signal) };
    }
  });
}

async function readAnswer(
  response: http.IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Exchange> {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  let left = maxBytes;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.length;
      // Leaving the loop closes the connection.
      if (left < 0) break;
    }
  } catch (error) {
    return { kind: "unanswered", reason: reasonOf(error, signal) };
  }
  return {
    kind: "answer",
    status,
    headers,
    text: Buffer.concat(chunks).toString("utf8"),
    tooLarge: left < 0,
  };
}

function afterSending(error: Error, spokeHttp: boolean, signal: AbortSignal): Exchange {
  const reason = reasonOf(error, signal);
  // In TLS 1.3 the client has finished its handshake before the server has. This alert says that the server never did.
  if (reason === "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED") return { kind: "unreached", reason };
  // llhttp's code for a status line that does not begin with HTTP/.
  if (reason !== "HPE_INVALID_CONSTANT" || spokeHttp) return { kind: "unanswered", reason };
  const { rawPacket } = error as { rawPacket?: unknown };
  const isTlsAlert = rawPacket instanceof Uint8Array && rawPacket[0] === 0x15 && rawPacket[1] === 0x03;
  return isTlsAlert
    ? { kind: "unreached", reason: "tls_at_http_url" }
    : { kind: "not_http", reason: "not_http" };
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "timeout";
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : "error";
}
