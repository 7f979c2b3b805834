/** What it costs not to keep connections to Looker beyond an invocation, TLS included. */
import { fork } from "node:child_process";
import tls from "node:tls";
import { type Exchange, type LookerHttp, lookerHttp } from "../functions/adapters/looker-http.ts";
import { forEachParallel } from "../functions/use-cases/pool.ts";
import { delays } from "./fleet.ts";
import type { LookerOverTls } from "./looker-over-tls.ts";
import { median, printTable } from "./table.ts";
import { takingTurns } from "./turns.ts";

const rounds = 11;
const logouts = 100;
const atOnce = 16;
/** Milliseconds: the same machine, and another region of the same continent. */
const roundTrips = [0, 20];

interface Way {
  readonly name: string;
  readonly http: LookerHttp;
  readonly send: LookerHttp["sendOnce"];
  readonly keptForEver: boolean;
  readonly loginMs: number[];
  readonly logoutsMs: number[];
  readonly logoutsCpuMs: number[];
}

export async function benchLookerConnections(): Promise<void> {
  const server = fork(
    new URL("./looker-over-tls.ts", import.meta.url),
    [delays.login, delays.logout, ...roundTrips].map(String),
  );
  const before = tls.getCACertificates("default");
  try {
    const { authority, urls } = await new Promise<LookerOverTls>((resolve, reject) => {
      server.once("message", (message) => resolve(message as LookerOverTls));
      server.once("exit", () => reject(new Error("The Looker of the bench did not start.")));
    });
    tls.setDefaultCACertificates([...before, authority]);
    for (const [roundTripMs, url] of Object.entries(urls)) await measure(roundTripMs, url);
  } finally {
    tls.setDefaultCACertificates(before);
    server.kill();
  }
}

async function measure(roundTripMs: string, baseUrl: string): Promise<void> {
  const ways = waysToConnect();
  const request = (method: "POST" | "DELETE") => ({
    baseUrl,
    method,
    path: method === "POST" ? "/login" : "/logout",
    signal: AbortSignal.timeout(30_000),
  });
  await takingTurns(ways, rounds, async (way) => {
    way.loginMs.push(await invocation(way, async () => answered(await way.send(request("POST")))));
    const before = process.cpuUsage();
    const ms = await invocation(way, () =>
      forEachParallel(Array.from({ length: logouts }), atOnce, async () => {
        answered(await way.send(request("DELETE")));
      }),
    );
    const { user, system } = process.cpuUsage(before);
    way.logoutsMs.push(ms);
    way.logoutsCpuMs.push((user + system) / 1_000);
  });
  printTable(
    [
      `connections to Looker (round trip ${roundTripMs} ms), median of ${rounds}`,
      "a login, ms",
      "ratio",
      `a sweep of ${logouts} logouts, ms`,
      "ratio",
      "of it on a CPU, ms",
    ],
    ways.map(({ name, loginMs, logoutsMs, logoutsCpuMs }) => [
      name,
      median(loginMs).toFixed(1),
      ratio(loginMs, ways[0]?.loginMs),
      median(logoutsMs).toFixed(1),
      ratio(logoutsMs, ways[0]?.logoutsMs),
      median(logoutsCpuMs).toFixed(1),
    ]),
  );
}

function waysToConnect(): Way[] {
  const way = (name: string, keptForEver: boolean, single: boolean): Way => {
    const http = lookerHttp();
    const send = single ? http.sendOnce : http.sendIdempotent;
    return { name, http, send, keptForEver, loginMs: [], logoutsMs: [], logoutsCpuMs: [] };
  };
  return [
    way("kept from one invocation to the next", true, false),
    way("kept within an invocation (so it is)", false, false),
    way("a new one for each request", false, true),
  ];
}

async function invocation({ http, keptForEver }: Way, work: () => Promise<void>): Promise<number> {
  if (!keptForEver) http.disconnect();
  const startedAt = performance.now();
  await work();
  const ms = performance.now() - startedAt;
  if (!keptForEver) http.disconnect();
  return ms;
}

function answered({ kind, ...more }: Exchange): void {
  if (kind !== "answer") throw new Error(`Looker did not answer: ${JSON.stringify({ kind, ...more })}`);
}

const ratio = (ours: readonly number[], theirs: readonly number[] = []) =>
  (median(ours) / median(theirs)).toFixed(2);
