/** The console's server: its page, and the operator's questions to the broker, for one browser of this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Broker } from "../broker.ts";
import { close, listen, refuseTunnels } from "../loopback/listening.ts";
import { requestBody } from "../loopback/request-body.ts";
import { refusalOf } from "./admission.ts";
import { type Answering, answers, failedBy } from "./answer-question.ts";
import { Entry } from "./entry.ts";
import type { Message, QuestionName, Questions } from "./messages.ts";
import { type PageFile, pageFiles } from "./page-files.ts";
import { isQuestion, readQuestion } from "./read-question.ts";
import { type Use, watchUse } from "./use.ts";

export interface ConsoleOptions {
  readonly broker: Broker;
  /** 0: a free one. */
  readonly port: number;
  /** The console ends after so long without use. */
  readonly idleMs: number;
}

export interface RunningConsole {
  readonly port: number;
  /** With the key that works once. */
  readonly link: string;
  /** Resolves when nobody has used it for `idleMs`. */
  readonly unused: Promise<void>;
  close(): Promise<void>;
}

/** Scripts and styles of its own, and nothing else: a text that got past the page's escaping could load and run nothing. */
const headers = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "Cache-Control": "no-store",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

const mostBodyBytes = 16 * 1024;

interface Serving {
  readonly port: number;
  readonly entry: Entry;
  readonly files: ReadonlyMap<string, PageFile>;
  readonly broker: Broker;
  readonly stopped: AbortSignal;
  readonly use: Use;
}

/** @throws {UsageError} where the port cannot be had. */
export async function startConsole({
  broker,
  port: wanted,
  idleMs,
}: ConsoleOptions): Promise<RunningConsole> {
  const files = await pageFiles();
  const server = createServer();
  refuseTunnels(server);
  const port = await listen(server, wanted);
  const [entry, stop, use] = [new Entry(), new AbortController(), watchUse(idleMs)];
  const serving: Serving = { port, entry, files, broker, stopped: stop.signal, use };
  server.on("request", (request, response) => void serve(request, response, serving));
  return {
    port,
    link: entry.linkAt(`http://127.0.0.1:${port}`),
    unused: use.ended,
    async close() {
      use.release();
      stop.abort();
      // For the last lines of an answer under way.
      await close(server, 500);
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { entry, files, use } = serving;
  const refusal = refusalOf(request, serving.port);
  if (refusal) return say(response, refusal.status, refusal.reason);
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  if (!path.startsWith(entry.path)) return say(response, 404, "There is nothing here.");
  const name = path.slice(entry.path.length);
  const isKnown = entry.isKnown(request.headers.cookie);
  const key = new URLSearchParams(query).get("key");
  if (key !== null && name === "" && request.method === "GET") {
    const cookie = isKnown ? undefined : entry.open(key);
    if (!isKnown && cookie === undefined) return say(response, 401, usedLink);
    response.writeHead(303, {
      ...headers,
      Location: entry.path,
      ...(cookie ? { "Set-Cookie": cookie } : {}),
    });
    return void response.end();
  }
  if (!isKnown) return say(response, 401, noCookie);
  if (request.method === "POST" && isQuestion(name)) return answerQuestion(request, response, name, serving);
  const file = request.method === "GET" ? files.get(name) : undefined;
  if (!file) return say(response, 404, "There is nothing here.");
  use.note();
  response.writeHead(200, { ...headers, "Content-Type": file.type });
  response.end(file.bytes);
}

const noCookie =
  "Open the link that `looker-token console` printed. Only the browser that opened it first may look.";
const usedLink =
  "This link was used before, or belongs to another run. If you did not use it, another user of this machine may have: press Ctrl-C in the terminal. For a new link start `looker-token console` again.";

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...headers, "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}

async function answerQuestion<Name extends QuestionName>(
  request: IncomingMessage,
  response: ServerResponse,
  name: Name,
  { broker, stopped, use }: Serving,
): Promise<void> {
  const leave = new AbortController();
  response.once("close", () => leave.abort());
  response.on("error", () => {});
  const gone = AbortSignal.any([leave.signal, stopped]);
  const send = sender(response);
  // The page looks by itself every few seconds, also where nobody sits.
  const finish = name === "look" ? () => {} : use.begin();
  try {
    const body = await requestBody(request, mostBodyBytes);
    if (body.kind !== "kept") return say(response, 413, "The question is too long.");
    const question = readQuestion(name, body.bytes.toString());
    if (name !== "look" || (question as Questions["look"]).used) use.note();
    const answer = answers[name] as (asked: Questions[Name], answering: Answering) => Promise<void>;
    await answer(question, { broker, gone, stopped, send });
    await send({ kind: "done" });
  } catch (error) {
    await send(failedBy(error));
  } finally {
    finish();
    response.end();
  }
}

/** One line for each message, at the pace of the page. */
function sender(response: ServerResponse): Answering["send"] {
  // One for all scopes, taken off again: a long list would pile listeners up.
  let drained: Promise<void> | undefined;
  return async (message: Message) => {
    if (response.destroyed) return;
    if (!response.headersSent)
      response.writeHead(200, { ...headers, "Content-Type": "application/x-ndjson" });
    if (response.write(`${JSON.stringify(message)}\n`)) return;
    drained ??= new Promise((resolve) => {
      const end = () => {
        response.off("drain", end).off("close", end);
        drained = undefined;
        resolve();
      };
      response.on("drain", end).on("close", end);
    });
    await drained;
  };
}
