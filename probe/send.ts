/** Signs and sends. `fetch` tidies paths up, so it is not used: what a check says is what goes out. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Answer, ProbeRequest, Signing } from "./request.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Target {
  /** With the stage, without a trailing slash. */
  readonly endpoint: string;
  readonly region: string;
  readonly runner: Credentials;
  readonly bystander?: Credentials;
}

export type Send = (request: ProbeRequest) => Promise<Answer>;

/** API Gateway waits for 29 s at most. */
const timeoutMs = 35_000;
const longestWaitSeconds = 5;

/** What is busy or throttled for the moment is asked again: it says nothing about what is being checked. */
export function createSender(target: Target): Send {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const answer = await sendOnce(target, request);
      const busy = answer.status === 429 || answer.status === 503;
      if (!busy || attempt === 3) return answer;
      const seconds = Number(answer.headers["retry-after"] ?? 1);
      if (!(seconds <= longestWaitSeconds)) return answer;
      await sleep(seconds * 1_000);
    }
  };
}

async function sendOnce(target: Target, request: ProbeRequest): Promise<Answer> {
  const url = new URL(target.endpoint);
  const stage = url.pathname.replace(/\/$/, "");
  const path = `${request.stage === undefined ? stage : `/${request.stage}`}${request.path}`;
  const { headers } = request.signing?.none
    ? { headers: { ...bareHeaders(request), host: url.host } }
    : await sign(target, request, url.host, path);
  return sendHttp(url, request.method, `${path}${queryString(request.query)}`, headers, request.body);
}

export function sendHttp(
  url: URL,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Answer> {
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) =>
      resolve({ status: 0, failure: error.code ?? error.name, headers: {}, json: {} });
    const message = send(
      url.origin,
      { method, path, headers, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () => {
          const named = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(named),
            json: jsonOf(Buffer.concat(chunks).toString()),
          });
        });
      },
    );
    message.on("error", fail);
    message.end(body);
  });
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const bareHeaders = ({ headers, body }: ProbeRequest): Record<string, string> => ({
  ...headers,
  ...(body === undefined ? {} : { "content-type": "application/json" }),
});

/** As SigV4 does: everything but the unreserved characters of RFC 3986. */
const percentEncoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function queryString(query: ProbeRequest["query"]): string {
  const pairs = Object.entries(query ?? {}).map(
    ([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`,
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

async function sign(
  target: Target,
  request: ProbeRequest,
  host: string,
  path: string,
): Promise<{ headers: Record<string, string> }> {
  const signing: Signing = request.signing ?? {};
  const credentials = request.as === "bystander" ? target.bystander : target.runner;
  if (!credentials) throw new Error("a check of the principal without a policy was run without one");
  const signer = new SignatureV4({
    service: signing.service ?? "execute-api",
    region: signing.region ?? target.region,
    credentials: {
      ...credentials,
      ...(signing.sessionToken === undefined ? {} : { sessionToken: signing.sessionToken }),
    },
    sha256: Sha256,
    uriEscapePath: !signing.pathAsSent,
    applyChecksum: false,
  });
  const body = signing.body ?? request.body;
  const { headers } = await signer.sign(
    {
      method: request.method,
      protocol: new URL(target.endpoint).protocol,
      hostname: host,
      // Encoded once more, as the signer does when it resolves the path.
      path: signing.pathAsSent ? path.split("/").map(percentEncoded).join("/") : path,
      query: { ...request.query },
      headers: { ...bareHeaders(request), host },
      ...(body === undefined ? {} : { body }),
    },
    { signingDate: new Date(Date.now() + (signing.minutesOff ?? 0) * 60_000) },
  );
  const { authorization = "" } = headers;
  return { headers: signing.spoilt ? { ...headers, authorization: spoil(authorization) } : headers };
}

const spoil = (authorization: string) => authorization.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
