/** How both interfaces, Looker's own and the control, take a body and send a reply. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { readBody } from "../http-request.ts";
import type { Reply } from "./replies.ts";

/** Nothing that either interface takes comes near this. */
const MAX_BODY_BYTES = 64 * 1024;

/** Undefined when the body is too large. */
export async function readText(request: IncomingMessage): Promise<string | undefined> {
  return (await readBody(request, MAX_BODY_BYTES))?.toString("utf8");
}

/** A shorter answer gains nothing from compression. */
const MIN_GZIP_BYTES = 1_024;

/** Compresses the answer for a client that accepts gzip, as Looker does. A proxy must not break such an answer. */
export function send(
  response: ServerResponse,
  { status, headers, body }: Reply,
  acceptEncoding: string | string[] = "",
): void {
  if (!/\bgzip\b/i.test(String(acceptEncoding)) || body.length < MIN_GZIP_BYTES) {
    response.writeHead(status, headers).end(body);
    return;
  }
  const gzipped = { "content-encoding": "gzip", vary: "Accept-Encoding" };
  response.writeHead(status, { ...headers, ...gzipped }).end(gzipSync(body));
}
