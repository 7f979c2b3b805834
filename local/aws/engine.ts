/** The AWS proxy's way to one engine: signed anew, over kept connections, the answer passed on as it came. */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { formatAmzDate } from "../sigv4/amz-date.ts";
import { errorName } from "./answers.ts";
import type { AwsService } from "./call.ts";

/**
 * One for every role: DynamoDB Local keeps a database per access key, and wants it of letters and digits only
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.UsageNotes.html).
 */
export const ENGINE_CREDENTIAL = { accessKeyId: "local", secretAccessKey: "local" };

interface EngineRequest {
  /** Absent where the body names the operation. */
  target?: string | undefined;
  contentType: string;
  body: Buffer;
}

/** Held back until one of the two is called; by then the engine has done what was asked. */
export interface EngineAnswer {
  status: number;
  /** Both settle with the error's name, if it is one, when the answer is through. */
  passTo(response: ServerResponse): Promise<string | undefined>;
  drop(): Promise<string | undefined>;
}

export interface Engine {
  /** Rejects when the engine gives no answer. */
  send(engineRequest: EngineRequest, now: Date): Promise<EngineAnswer>;
  close(): void;
}

const NOT_PASSED = new Set(["connection", "keep-alive", "transfer-encoding", "date"]);
/** Error answers are small; of a longer one the type is not looked for. */
const MAX_ERROR_BYTES = 16_384;

export function createEngine(service: AwsService, region: string, endpoint: string): Engine {
  const url = new URL(endpoint);
  if (url.protocol !== "http:")
    throw new Error(`The local engine for ${service} must be an http URL: ${url.origin}`);
  // Idle sockets are given up before any common server's own limit (Node 5 s, Jetty 30 s): none is used as it closes.
  const agent = new Agent({ keepAlive: true, timeout: 4_000, scheduling: "lifo" });
  const sign = createSigner(service, region, url);
  return {
    send: (engineRequest, now) =>
      new Promise((resolve, reject) => {
        const options = { method: "POST", agent, headers: sign(engineRequest, now) };
        const sent = request(url, options, (message) => resolve(answerOf(message)));
        // Never sent twice: whether the engine has done it already is not known.
        sent.once("error", reject);
        sent.end(engineRequest.body);
      }),
    close: () => agent.destroy(),
  };
}

function answerOf(message: IncomingMessage): EngineAnswer {
  const status = message.statusCode ?? 502;
  // The client of a broken answer is told by passTo; without a listener the process would end.
  message.on("error", () => undefined);
  const errorType = status < 400 ? Promise.resolve(undefined) : undefined;

  async function through(response?: ServerResponse): Promise<string | undefined> {
    const kept = errorType ?? typeOf(message);
    const ended = new Promise<void>((resolve) => message.once("close", resolve));
    if (response === undefined || response.destroyed) message.resume();
    else {
      response.writeHead(status, passedHeaders(message));
      message.pipe(response);
      // A client that went away must not leave the engine's connection waiting for a reader.
      response.once("close", () => message.unpipe(response).resume());
    }
    await ended;
    if (!message.complete) response?.destroy();
    return kept;
  }
  return { status, passTo: through, drop: () => through() };
}

function typeOf(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  message.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    message.once("close", () => {
      const body = Buffer.concat(chunks);
      if (body.length > MAX_ERROR_BYTES) return resolve(undefined);
      resolve(errorTypeOf(body.toString("utf8")));
    });
  });
}

function errorTypeOf(body: string): string | undefined {
  if (body.startsWith("<")) return /<Code>(\w+)<\/Code>/.exec(body)?.[1];
  try {
    const type: unknown = JSON.parse(body).__type;
    return typeof type === "string" ? errorName(type) : undefined;
  } catch {
    return undefined;
  }
}

function passedHeaders(message: IncomingMessage): string[] {
  const headers: string[] = [];
  const raw = message.rawHeaders;
  for (let at = 0; at < raw.length; at += 2) {
    const [name = "", value = ""] = [raw[at], raw[at + 1]];
    if (!NOT_PASSED.has(name.toLowerCase())) headers.push(name, value);
  }
  if (message.headers["x-amzn-requestid"] === undefined) headers.push("x-amzn-requestid", randomUUID());
  return headers;
}

/**
 * SigV4 for the two forms that are sent here, with the day's key kept: it stands on the path that the benchmark measures.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function createSigner(service: AwsService, region: string, url: URL) {
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
  let day = "";
  let key: Buffer = Buffer.alloc(0);

  return ({ target, contentType, body }: EngineRequest, now: Date): Record<string, string> => {
    const date = formatAmzDate(now);
    if (date.slice(0, 8) !== day) {
      day = date.slice(0, 8);
      key = hmac(hmac(hmac(`AWS4${ENGINE_CREDENTIAL.secretAccessKey}`, day), region), service);
      key = hmac(key, "aws4_request");
    }
    const scope = `${day}/${region}/${service}/aws4_request`;
    const headers = {
      "content-type": contentType,
      host: url.host,
      "x-amz-date": date,
      ...(target !== undefined && { "x-amz-target": target }),
    };
    const signedHeaders = Object.keys(headers).join(";");
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    const canonical = `POST\n${url.pathname}\n\n${lines.join("")}\n${signedHeaders}\n${sha256(body)}`;
    const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString("hex");
    const credential = `${ENGINE_CREDENTIAL.accessKeyId}/${scope}`;
    return {
      ...headers,
      "content-length": String(body.length),
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    };
  };
}
