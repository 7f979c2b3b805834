import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { splitTarget } from "../http-request.ts";
import { type Listening, listen } from "../loopback.ts";
import type { LookerAccount } from "./accounts.ts";
import { answer, faultRouteOf } from "./api.ts";
import type { ApiRequest, Outcome } from "./authentication.ts";
import { type Control, createControl, type InFlight } from "./control.ts";
import { controlListener } from "./control-http.ts";
import { corsHeaders, isAllowedOrigin, PREFLIGHT_HEADERS } from "./cors.ts";
import { type Fault, faultAnswer, keepsEffect, strikesAfter } from "./faults.ts";
import { readText, send } from "./http.ts";
import { createLookerInstance, type LookerInstance } from "./instance.ts";
import type { LedgerEntry } from "./ledger.ts";
import { lookerError, type Reply } from "./replies.ts";
import type { LiveToken } from "./sessions.ts";
import { expectsPage, uiListener } from "./ui.ts";

export interface LookerOptions {
  /** 0 or omitted picks a free one. */
  port?: number;
  controlPort?: number;
  uiPort?: number;
  accounts: LookerAccount[];
  /** 3600 unless told, as Looker's own default. */
  tokenSeconds?: number;
  /** Epoch in milliseconds. */
  now?: () => number;
}

export interface RunningLooker {
  url: string;
  controlUrl: string;
  /** Looker's pages for people. */
  uiUrl: string;
  ledger(): LedgerEntry[];
  liveTokens(): LiveToken[];
  control: Control;
  addAccount(account: LookerAccount): void;
  close(): Promise<void>;
}

export async function startLooker(options: LookerOptions): Promise<RunningLooker> {
  const looker = createLookerInstance(
    options.accounts,
    options.tokenSeconds ?? 3600,
    options.now ?? Date.now,
  );
  const inFlight = new Set<InFlight>();
  const control = createControl(looker, inFlight);
  const opened: Listening[] = [];
  const open = async (...listening: Parameters<typeof listen>) => {
    const one = await listen(...listening);
    opened.push(one);
    return one.url;
  };
  const close = async () => void (await Promise.all(opened.map((one) => one.close())));
  try {
    const uiUrl = await open(createServer(uiListener(looker)), options.uiPort, expectsPage);
    const api = createServer(apiListener(looker, inFlight, uiUrl));
    return {
      uiUrl,
      url: await open(api, options.port, (message) => isAllowedOrigin(looker.settings, message)),
      controlUrl: await open(createServer(controlListener(control)), options.controlPort),
      ledger: control.ledger,
      liveTokens: control.liveTokens,
      control,
      addAccount: (account) => looker.accounts.add(account),
      close: () => {
        looker.faults.clear();
        return close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function apiListener(looker: LookerInstance, inFlight: Set<InFlight>, uiOrigin: string): RequestListener {
  return (request, response) => {
    const method = request.method ?? "";
    const { rawPath: path } = splitTarget(request.url ?? "/");
    const { origin } = request.headers;
    // Other origins do not come this far.
    if (origin !== undefined) response.setHeaders(new Map(Object.entries(corsHeaders(origin))));
    if (origin !== undefined && method === "OPTIONS") {
      looker.ledger.record({ at: looker.now(), method, path, status: 204, event: "preflight" });
      return void response.writeHead(204, PREFLIGHT_HEADERS).end();
    }
    const arrival: InFlight = { at: looker.now(), method, path };
    inFlight.add(arrival);
    response.once("close", () => inFlight.delete(arrival));
    handle(looker, request, response, arrival, uiOrigin).catch(() => {
      // Either the client broke off while sending, or this stand-in has a defect: a bare 500 shows the latter.
      if (response.headersSent) response.destroy();
      else send(response, lookerError(500));
    });
  };
}

async function handle(
  looker: LookerInstance,
  message: IncomingMessage,
  response: ServerResponse,
  arrival: InFlight,
  uiOrigin: string,
): Promise<void> {
  const { method, path } = arrival;
  const record = (entry: Outcome["entry"], status: number, fault?: Fault) => {
    const noted = fault === undefined ? {} : { fault: fault.kind };
    looker.ledger.record({ at: looker.now(), method, path, status, ...entry, ...noted });
  };
  const body = await readText(message);
  if (body === undefined) {
    record({ event: "bad_request" }, 413);
    const reply = lookerError(413);
    return send(response, reply);
  }
  const request: ApiRequest = {
    method,
    path,
    query: new URLSearchParams(splitTarget(message.url ?? "/").rawQuery),
    contentType: message.headers["content-type"]?.toLowerCase() ?? "",
    authorization: message.headers.authorization ?? "",
    body,
    ip: message.socket.remoteAddress ?? "",
    origin: `http://${message.headers.host}`,
    uiOrigin,
  };
  const fault = looker.faults.take(faultRouteOf(method, path), method);
  if (fault === undefined) {
    const { reply, entry } = answer(looker, request);
    record(entry, reply.status);
    return send(response, reply, message.headers["accept-encoding"]);
  }
  arrival.fault = fault.kind;

  // A client that gave up meanwhile changes nothing: a server that is slow does the work all the same.
  if (!strikesAfter(fault)) await wait(looker, fault);
  const outcome = keepsEffect(fault) ? answer(looker, request) : undefined;
  const sent = faultAnswer(fault, outcome?.reply);
  record(outcome?.entry ?? { event: "fault" }, typeof sent === "string" ? 0 : sent.status, fault);
  if (strikesAfter(fault)) await wait(looker, fault);
  deliver(response, sent);
}

async function wait(looker: LookerInstance, fault: Fault): Promise<void> {
  // Not kept alive by this timer alone: Ctrl-C must not wait for a slow answer.
  if (fault.delayMs !== undefined) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault.kind === "hold") await looker.faults.hold();
}

function deliver(response: ServerResponse, sent: Reply | "hang" | "reset"): void {
  if (sent === "hang" || response.destroyed) return;
  // RST rather than FIN: what a client sees when a load balancer drops a connection.
  if (sent === "reset") response.socket?.resetAndDestroy();
  else send(response, sent);
}
