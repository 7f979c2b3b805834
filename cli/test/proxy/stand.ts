/** A proxy with everything around it: a broker that gives a new lease at each request, and a Looker as the test has it. */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { TokenBrokerClient } from "@looker-token-broker/client";
import { onTestFinished } from "vitest";
import { plantedToken, tokenReply } from "../../../test/support/broker-replies.ts";
import { watchFor } from "../../../test/support/canary.ts";
import { type Answering, FakeServer } from "../../../test/support/fake-server.ts";
import { newPair } from "../../src/proxy/pair.ts";
import { type LookerProxy, startProxy } from "../../src/proxy/proxy.ts";

export interface Stand {
  readonly proxy: LookerProxy;
  readonly broker: FakeServer;
  readonly lookerUrl: string;
  readonly pair: { readonly id: string; readonly secret: string };
  /** Lines for people. */
  readonly notes: string[];
  /** A token of the proxy's, by its own login. */
  login(): Promise<string>;
  send(path: string, options?: Sent): Promise<Received>;
  /** Bodies of the requests for tokens so far. */
  asked(): object[];
}

export interface Sent {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

export interface Received {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly rawHeaders: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
}

export type LookerHandler = (request: IncomingMessage, response: ServerResponse) => void;

interface StandOptions {
  readonly looker?: LookerHandler;
  readonly broker?: Answering;
  readonly session?: string;
  readonly allowCredentials?: boolean;
}

export async function startStand(options: StandOptions = {}): Promise<Stand> {
  const looker = createServer(options.looker ?? ((_, response) => void response.end("{}")));
  looker.on("checkContinue", (message, response) => looker.emit("request", message, response));
  const lookerUrl = await listening(looker);
  let leases = 0;
  const broker = await FakeServer.start(
    options.broker ??
      (() => {
        const lease = `lease-${++leases}`;
        watchFor(`token of ${lease}`, plantedToken(lease));
        return tokenReply(lease, 900, lookerUrl);
      }),
  );
  const connection = {
    endpoint: `${broker.url}/v1`,
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "signing-key-of-the-test" },
    scope: "sales",
    timeoutMs: 2_000,
  };
  const pair = newPair();
  const notes: string[] = [];
  const proxy = await startProxy({
    pair,
    port: 0,
    session: options.session,
    sessionPrefix: "exec-1",
    allowCredentials: options.allowCredentials ?? false,
    clientOf: (session) => new TokenBrokerClient({ ...connection, session }),
    onNote: (text) => void notes.push(text),
  });
  onTestFinished(async () => {
    await proxy.close();
    await broker.stop();
    looker.closeAllConnections();
    looker.close();
  });
  const send = (path: string, sent: Sent = {}) => sendTo(proxy.port, path, sent);
  return {
    ...{ proxy, broker, lookerUrl, pair, notes, send },
    async login() {
      const body = new URLSearchParams({ client_id: pair.id, client_secret: pair.secret }).toString();
      const { text } = await send("/api/4.0/login", { method: "POST", headers: form, body });
      return JSON.parse(text).access_token;
    },
    asked: () =>
      broker.asked.filter(({ path }) => path.endsWith("/token")).map(({ text }) => JSON.parse(text)),
  };
}

export const form = { "content-type": "application/x-www-form-urlencoded" };
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Byte for byte: `fetch` tidies paths up, decodes bodies and refuses some headers. */
export function sendTo(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: Sent,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const message = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode: status = 0, headers: received, rawHeaders } = response;
        resolve({ status, headers: received, rawHeaders, bytes, text: bytes.toString() });
      });
    });
    message.on("error", reject);
    message.end(body);
  });
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
