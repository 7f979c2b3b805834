/** The Looker adapter before a stand-in Looker, or before a bare server that says whatever it is told. */
import { createServer, type RequestListener } from "node:http";
import https from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import net from "node:net";
import tls from "node:tls";
import { onTestFinished } from "vitest";
import { type LookerTimeouts, lookerApi } from "../../../functions/adapters/looker-api.ts";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import { listen } from "../../../local/loopback.ts";
import { canary, watchFor } from "../../support/canary.ts";
import { type Certificate, certificate } from "../../support/certificates.ts";
import { virtualClock } from "../../support/fakes/virtual-clock.ts";

export const credentials = { clientId: "reader", clientSecret: canary.clientSecret };

/** Long enough for an answer on a busy machine; `impatient` where none is to come. */
const patient: LookerTimeouts = { loginMs: 10_000, logoutMs: 10_000, userMs: 10_000 };
export const impatient: LookerTimeouts = { loginMs: 60, logoutMs: 60, userMs: 60 };

export function adapter(timeouts = patient) {
  const clock = virtualClock();
  return { ...lookerApi(timeouts, clock), slept: clock.slept };
}

export async function startedLooker(): Promise<RunningLooker> {
  const looker = await startLooker({
    accounts: [{ userId: "7", displayName: "Reader", credentials: [credentials] }],
  });
  onTestFinished(() => looker.close());
  return looker;
}

/** A live token, watched for in whatever the suite writes from here on. */
export async function loggedIn(looker: RunningLooker): Promise<string> {
  const outcome = await adapter().login(looker.url, credentials);
  if (outcome.kind !== "token") throw new Error(`no token: ${outcome.kind}`);
  watchFor("Looker's token", outcome.accessToken);
  return outcome.accessToken;
}

interface Received {
  method: string;
  url: string;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

interface Said {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** Answers by "METHOD /path", else with 501. */
export async function startServer(answers: Record<string, Said | (() => Said)>) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers } = request;
    received.push({ method, url, headers, body });
    const answer = answers[`${method} ${url}`] ?? { status: 501 };
    const said = typeof answer === "function" ? answer() : answer;
    response.writeHead(said.status, said.headers).end(said.body);
  });
  const { url, close } = await listen(server);
  onTestFinished(close);
  return { url, received };
}

/** Listens on loopback until the test's end, and on what it accepted. @returns its port */
export async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Below HTTP: does as told with each connection, or, by `onRequest`, when the request's first bytes are there. */
export const rawServer = (onConnection: (socket: Socket) => void): Server => net.createServer(onConnection);
export const onRequest = (answer: (socket: Socket) => void): Server =>
  rawServer((socket) => socket.once("data", () => answer(socket)));

export const authority = certificate({ names: ["Tests' own authority"] });
/** Of a server that this process trusts until the test's end. */
export function trusted(names: readonly string[], validUntil?: Date): Certificate {
  const before = tls.getCACertificates("default");
  tls.setDefaultCACertificates([...before, authority.cert]);
  onTestFinished(() => tls.setDefaultCACertificates(before));
  return certificate({ names, issuer: authority.authority, ...(validUntil && { validUntil }) });
}

export function tlsServer(listener: RequestListener, options: https.ServerOptions): Server {
  const server = https.createServer(options, listener);
  // What a client did wrong is that client's to tell.
  server.on("tlsClientError", () => {});
  return server;
}

export const lookerSays = (status: number, message: string | null = "Not found"): Said => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ message, documentation_url: "http://docs.looker.com/" }),
});
export const proxySays = (status: number): Said => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><body>${status}</body></html>`,
});
export const jsonSays = (status: number, value: unknown): Said => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
