/** How both interfaces, Looker's own and the control, take a body and send a reply. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "../http-request.ts";
import type { Reply } from "./replies.ts";

/** Nothing that either interface takes comes near this. */
const MAX_BODY_BYTES = 64 * 1024;

/** Undefined when the body is too large. */
export async function readText(request: IncomingMessage): Promise<string | undefined> {
  return (await readBody(request, MAX_BODY_BYTES))?.toString("utf8");
}

export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, headers);
  response.end(body);
}
