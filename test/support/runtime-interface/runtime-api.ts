/**
 * Lambda's Runtime API for one function instance: what a runtime asks for its events and tells its answers to.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { ReportedError } from "../../../local/lambda/protocol.ts";
import { listen } from "../../../local/loopback.ts";

export interface Invocation {
  readonly requestId: string;
  readonly event: unknown;
  /** Epoch milliseconds at which the function times out. */
  readonly deadline: number;
  readonly functionArn: string;
  readonly traceId: string;
}

/** With the time of arrival by `performance.now()`. */
export type Reply = { readonly at: number } & (
  | { readonly kind: "answered"; readonly payload: unknown }
  | { readonly kind: "failed"; readonly error: ReportedError }
);

export interface RuntimeApi {
  /** `127.0.0.1:PORT`, as `AWS_LAMBDA_RUNTIME_API` has it. */
  readonly address: string;
  /** Resolves when the runtime has started and asks for its first event. */
  readonly ready: Promise<unknown>;
  /** Resolves when the runtime could not start. */
  readonly initFailed: Promise<ReportedError>;
  /** Resolves when the runtime has answered and asks for the next event: then Lambda freezes the instance. */
  invoke(invocation: Invocation): Promise<Reply>;
  close(): Promise<void>;
}

const root = "/2018-06-01/runtime";

export async function startRuntimeApi(): Promise<RuntimeApi> {
  let next = Promise.withResolvers<ServerResponse>();
  const initFailed = Promise.withResolvers<ReportedError>();
  let underWay: { requestId: string; settle(reply: Reply): void } | undefined;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [method, path = ""] = [request.method, request.url];
    if (method === "GET" && path === `${root}/invocation/next`) return next.resolve(response);
    const body = JSON.parse(await text(request));
    const at = performance.now();
    const invocation = `${root}/invocation/${underWay?.requestId}`;
    if (method === "POST" && path === `${root}/init/error`) initFailed.resolve(body);
    else if (method === "POST" && path === `${invocation}/response`)
      underWay?.settle({ at, kind: "answered", payload: body });
    else if (method === "POST" && path === `${invocation}/error`)
      underWay?.settle({ at, kind: "failed", error: body });
    else return void response.writeHead(400, json).end('{"errorType":"InvalidRequest"}');
    response.writeHead(202, json).end('{"status":"OK"}');
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  // The runtime waits for its next event as long as there is none.
  server.requestTimeout = 0;
  const { port, close } = await listen(server);

  return {
    address: `127.0.0.1:${port}`,
    ready: next.promise,
    initFailed: initFailed.promise,
    async invoke({ requestId, event, deadline, functionArn, traceId }) {
      const waiting = await next.promise;
      next = Promise.withResolvers();
      const reply = new Promise<Reply>((settle) => {
        underWay = { requestId, settle };
      });
      waiting.writeHead(200, {
        ...json,
        "Lambda-Runtime-Aws-Request-Id": requestId,
        "Lambda-Runtime-Deadline-Ms": String(deadline),
        "Lambda-Runtime-Invoked-Function-Arn": functionArn,
        "Lambda-Runtime-Trace-Id": traceId,
      });
      waiting.end(JSON.stringify(event));
      const settled = await reply;
      underWay = undefined;
      await next.promise;
      return settled;
    },
    close,
  };
}

const json = { "content-type": "application/json" };
