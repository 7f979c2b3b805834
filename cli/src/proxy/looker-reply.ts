/** Answers of the proxy itself, in the form of Looker's: tools read `message`. */
import type { ServerResponse } from "node:http";

export interface LookerReply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Looker's own words. */
const messages: Readonly<Record<number, string>> = { 401: "Requires authentication.", 404: "Not found" };

/** The address in all of Looker's errors. */
const documentationUrl = "http://docs.looker.com/";

export function lookerError(
  status: number,
  message = messages[status] ?? "Error",
  headers: LookerReply["headers"] = {},
): LookerReply {
  return { status, body: { message, documentation_url: documentationUrl }, headers };
}

export function sendReply(response: ServerResponse, { status, body, headers }: LookerReply): void {
  response.writeHead(status, {
    "Content-Type": "application/json;charset=utf-8",
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(JSON.stringify(body));
}
