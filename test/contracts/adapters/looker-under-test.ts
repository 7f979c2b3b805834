/** The Looker adapter before a stand-in Looker, or before a bare server that says whatever it is told. */

import { createServer } from "node:http";
import { onTestFinished } from "vitest";
import { type LookerTimeouts, lookerApi } from "../../../functions/adapters/looker-api.ts";
import { type RunningLooker, startLooker } from "../../../local/looker/server.ts";
import { listen } from "../../../local/loopback.ts";
import { canary, watchFor } from "../../support/canary.ts";
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
