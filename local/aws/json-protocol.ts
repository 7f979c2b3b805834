/**
 * AWS JSON 1.1 (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html) for the stand-ins behind the AWS proxy.
 * They check no signatures: the AWS proxy does, and they listen on loopback only.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readBody } from "../http-request.ts";
import { isJsonObject } from "../json-object.ts";
import { type Listening, listen } from "../loopback.ts";

export type Input = Record<string, unknown>;
type Operations = Record<string, (input: Input) => object>;

export interface ServiceOptions {
  /** What stands before the dot in X-Amz-Target. */
  targetPrefix: string;
  operations: Operations;
  /** Of modelled errors: KMS writes `message`, Secrets Manager `Message`. */
  messageKey: "message" | "Message";
}

export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  /** Null: the answer has no message at all, as KMS's InvalidCiphertextException. */
  readonly awsMessage: string | null;

  constructor(type: string, awsMessage: string | null, status = 400) {
    super(awsMessage ?? type);
    this.type = type;
    this.awsMessage = awsMessage;
    this.status = status;
  }
}

const MAX_BODY_BYTES = 1024 * 1024;

export async function startJsonService(options: ServiceOptions): Promise<Listening> {
  const server = createServer((message, response) => {
    serve(options, message, response).catch(() => response.destroy());
  });
  // The AWS proxy's agent lets go of idle connections; two sides that do it would sometimes cut a request off.
  server.keepAliveTimeout = 0;
  return listen(server);
}

async function serve(
  options: ServiceOptions,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(message, MAX_BODY_BYTES);
  let status = 200;
  let output: object;
  try {
    output = operationOf(options, message)(inputOf(body));
  } catch (error) {
    // A defect of the stand-in; its message could carry what was sent.
    const failure = error instanceof ServiceError ? error : new ServiceError("InternalFailure", null, 500);
    status = failure.status;
    output = {
      __type: failure.type,
      ...(failure.awsMessage !== null && { [options.messageKey]: failure.awsMessage }),
    };
  }
  const text = JSON.stringify(output);
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.1",
    "content-length": Buffer.byteLength(text),
    "x-amzn-requestid": randomUUID(),
  });
  response.end(text);
}

function operationOf({ targetPrefix, operations }: ServiceOptions, message: IncomingMessage) {
  const [prefix, name = "", ...more] = String(message.headers["x-amz-target"] ?? "").split(".");
  const isKnown = prefix === targetPrefix && more.length === 0 && Object.hasOwn(operations, name);
  const operation = isKnown && message.method === "POST" ? operations[name] : undefined;
  if (!operation) throw new ServiceError("UnknownOperationException", null);
  return operation;
}

function inputOf(body: Buffer | undefined): Input {
  if (!body) throw new ServiceError("RequestEntityTooLargeException", null, 413);
  let input: unknown;
  try {
    input = JSON.parse(body.toString("utf8"));
  } catch {
    // Refused below, without the parser's message: it quotes the input.
  }
  if (!isJsonObject(input)) throw new ServiceError("SerializationException", null);
  return input;
}

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw notOfType(value, "String");
  return value;
}

export function requiredText(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined) throw constraint(name, "null", "Member must not be null");
  return value;
}

export function optionalNumber(input: Input, name: string, least: number, most: number): number | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw notOfType(value, "Number");
  if (value < least)
    throw constraint(name, String(value), `Member must have value greater than or equal to ${least}`);
  if (value > most)
    throw constraint(name, String(value), `Member must have value less than or equal to ${most}`);
  return value;
}

export function optionalTexts(input: Input, name: string): string[] | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw notOfType(value, "List");
  return value.map((item) => {
    if (typeof item !== "string") throw notOfType(item, "String");
    return item;
  });
}

export function optionalBlob(input: Input, name: string): Buffer | undefined {
  const value = optionalText(input, name);
  if (value === undefined) return undefined;
  const blob = Buffer.from(value, "base64");
  if (blob.toString("base64") !== value) throw new ServiceError("SerializationException", null);
  return blob;
}

/** The value is left out where it is a secret, as AWS does for blobs. */
export function constraint(name: string, value: string | undefined, rule: string): ServiceError {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  const shown = value === undefined ? "Value" : value === "null" ? "Value null" : `Value '${value}'`;
  return new ServiceError(
    "ValidationException",
    `1 validation error detected: ${shown} at '${member}' failed to satisfy constraint: ${rule}`,
  );
}

function notOfType(value: unknown, wanted: string): ServiceError {
  const kinds: Record<string, string> = {
    string: "STRING_VALUE",
    number: "NUMBER_VALUE",
    boolean: "TRUE_VALUE",
  };
  const found = Array.isArray(value) ? "START_ARRAY" : (kinds[typeof value] ?? "START_OBJECT");
  return new ServiceError("SerializationException", `${found} can not be converted to a ${wanted}`);
}
