/**
 * AWS Query (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html) for a stand-in behind the AWS proxy: a form comes
 * in, XML goes out. Like those of json-protocol.ts it checks no signatures.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readBody } from "../http-request.ts";
import { type Listening, listen } from "../loopback.ts";
import { formOf } from "./call.ts";
import { ServiceError } from "./json-protocol.ts";

/** Lists become `<member>` elements. What is undefined is left out. */
export type Xml = string | readonly Xml[] | { readonly [name: string]: Xml | undefined };

export interface QueryServiceOptions {
  version: string;
  namespace: string;
  operations: Record<string, (input: URLSearchParams) => { readonly [name: string]: Xml | undefined }>;
}

const maxBodyBytes = 1024 * 1024;

export async function startQueryService(options: QueryServiceOptions): Promise<Listening> {
  const server = createServer((message, response) => {
    serve(options, message, response).catch(() => response.destroy());
  });
  // As in json-protocol.ts.
  server.keepAliveTimeout = 0;
  return listen(server);
}

async function serve(
  { version, namespace, operations }: QueryServiceOptions,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(message, maxBodyBytes);
  const input = formOf(body ?? Buffer.alloc(0));
  const action = input.get("Action") ?? "";
  const operation =
    input.get("Version") === version && Object.hasOwn(operations, action) ? operations[action] : undefined;
  try {
    if (!operation)
      throw new ServiceError("InvalidAction", `Could not find operation ${action} for version ${version}`);
    sendXml(response, 200, `${action}Response`, namespace, {
      [`${action}Result`]: operation(input),
      ResponseMetadata: { RequestId: randomUUID() },
    });
  } catch (error) {
    const { type, awsMessage, status } =
      error instanceof ServiceError ? error : new ServiceError("InternalFailure", null, 500);
    sendQueryError(response, { status, code: type, message: awsMessage, namespace });
  }
}

export function sendQueryError(
  response: ServerResponse,
  {
    status,
    code,
    message,
    namespace,
  }: { status: number; code: string; message: string | null; namespace: string },
): void {
  const fault = status < 500 ? "Sender" : "Receiver";
  sendXml(response, status, "ErrorResponse", namespace, {
    Error: { Type: fault, Code: code, Message: message ?? undefined },
    RequestId: randomUUID(),
  });
}

function sendXml(response: ServerResponse, status: number, root: string, namespace: string, content: Xml) {
  const text = `<${root} xmlns="${namespace}">${xmlOf(content)}</${root}>\n`;
  response.writeHead(status, {
    "content-type": "text/xml",
    "content-length": Buffer.byteLength(text),
    "x-amzn-requestid": randomUUID(),
  });
  response.end(text);
}

function xmlOf(value: Xml): string {
  if (typeof value === "string") return escaped(value);
  if (isList(value)) return value.map((item) => `<member>${xmlOf(item)}</member>`).join("");
  return Object.entries(value)
    .map(([name, inner]) => (inner === undefined ? "" : `<${name}>${xmlOf(inner)}</${name}>`))
    .join("");
}

const isList = (value: Exclude<Xml, string>): value is readonly Xml[] => Array.isArray(value);

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A parser would turn a bare carriage return into a line feed. */
const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign).replaceAll("\r", "&#13;");
