/** The loopback server: it refuses foreign requests, and gives every request an answer. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { close, listen, refuseTunnels } from "../loopback/listening.ts";
import { ClientGone } from "../loopback/request-body.ts";
import { refusalOf } from "./admission.ts";
import { answer, type ExchangeOptions } from "./exchange.ts";
import { proxyFailureOf } from "./failure-reply.ts";
import { lookerError, sendReply } from "./looker-reply.ts";
import { baseOf } from "./template.ts";

export interface ProxyServerOptions extends Omit<ExchangeOptions, "proxyUrl"> {
  /** 0: a free one. */
  readonly port: number;
  /** A line for people about a failed request. The same line does not come twice in a row. */
  onNote(text: string): void;
}

export interface RunningProxy {
  readonly port: number;
  /** Takes no more requests, and gives those under way so many milliseconds. */
  close(graceMs?: number): Promise<void>;
}

/** For each connection. With Node's 64 kB a large answer takes a sixth longer, because it stops after every chunk. */
const bufferedBytes = 1024 * 1024;

/** @throws {UsageError} where the port cannot be had. */
export async function startProxyServer(options: ProxyServerOptions): Promise<RunningProxy> {
  // Node's limit of five minutes for a whole request would cut a large upload. Headers keep their own limit.
  const server = createServer({ requestTimeout: 0, highWaterMark: bufferedBytes });
  const port = await listen(server, options.port);
  const exchange = { ...options, proxyUrl: baseOf({ port }), onNote: withoutRepetitions(options.onNote) };
  const serve = (waits: boolean) => (request: IncomingMessage, response: ServerResponse) =>
    void handle(request, response, { ...exchange, port, waits });
  server.on("request", serve(false));
  server.on("checkContinue", serve(true));
  refuseTunnels(server);
  return { port, close: (graceMs = 0) => close(server, graceMs) };
}

interface HandleOptions extends ExchangeOptions {
  readonly port: number;
  /** The client sends its body when it is invited. */
  readonly waits: boolean;
  onNote(text: string): void;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { port, waits, onNote, ...options }: HandleOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const refusal = refusalOf(request, port);
  try {
    if (refusal !== undefined) sendReply(response, lookerError(403, refusal));
    else
      await answer({ request, response, signal: gone.signal, invite: inviteOnce(response, waits) }, options);
  } catch (error) {
    if (gone.signal.aborted || error instanceof ClientGone) return void response.destroy();
    const { reply, note } = proxyFailureOf(error);
    if (note !== undefined) onNote(note);
    // Half an answer must look like one: the connection breaks off.
    if (response.headersSent) response.destroy();
    else sendReply(response, reply);
  } finally {
    discardRest(request, response);
  }
}

function inviteOnce(response: ServerResponse, waits: boolean): () => void {
  let isInvited = !waits;
  return () => {
    if (!isInvited) response.writeContinue();
    isInvited = true;
  };
}

/** Reads the rest of a body and throws it away: some clients send all of a body before they read the answer. */
function discardRest(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || response.destroyed) return;
  request.unpipe();
  request.resume();
}

/** A broker that is away would otherwise be told of with every request. */
function withoutRepetitions(note: (text: string) => void): (text: string) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) note(text);
    last = text;
  };
}
