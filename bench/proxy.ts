/** The cost of the loopback proxy of `looker-token exec --proxy`: the time of a request, and the rate of large bodies. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { tokenReply } from "../test/support/broker-replies.ts";
import { FakeServer } from "../test/support/fake-server.ts";
import type { ProxyLooker } from "./proxy-looker.ts";
import { median, printTable, quantile } from "./table.ts";
import { takingTurns } from "./turns.ts";

const rounds = 11;
const requestsInRound = 400;
const downBytes = 200 * 1024 * 1024;
const upBytes = 50 * 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024, "x");

/** A way to Looker, with one connection that is kept. */
interface Way {
  readonly name: string;
  readonly url: URL;
  readonly token: string;
  readonly agent: HttpAgent;
  readonly requestMs: number[];
  readonly downMs: number[];
  readonly upMs: number[];
}

export async function benchProxy(): Promise<void> {
  const looker = fork(new URL("./proxy-looker.ts", import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), "bench-proxy-"));
  try {
    const [{ authority, urls }] = (await once(looker, "message")) as [ProxyLooker];
    const authorityFile = join(directory, "authority.pem");
    writeFileSync(authorityFile, authority);
    for (const scheme of ["http", "https"] as const)
      await measure(scheme, urls[scheme], { authority, authorityFile });
  } finally {
    looker.kill();
    rmSync(directory, { recursive: true });
  }
}

async function measure(
  scheme: string,
  lookerUrl: string,
  { authority, authorityFile }: { authority: string; authorityFile: string },
): Promise<void> {
  const broker = await FakeServer.start(() => tokenReply("lease-1", 3_600, lookerUrl));
  const relay = fork(new URL("./tcp-relay.ts", import.meta.url), [new URL(lookerUrl).port]);
  const [relayPort] = await once(relay, "message");
  const proxy = await startProxy(broker.url, authorityFile);
  try {
    const options = { keepAlive: true, maxSockets: 1 };
    const agent = () =>
      scheme === "https" ? new HttpsAgent({ ...options, ca: authority }) : new HttpAgent(options);
    const relayUrl = new URL(lookerUrl);
    relayUrl.port = String(relayPort);
    const ways = [
      wayTo("direct", lookerUrl, "none", agent()),
      wayTo("through a relay of bytes", relayUrl.href, "none", agent()),
      wayTo("through the proxy", proxy.url, await proxy.login(), new HttpAgent(options)),
    ];
    await takingTurns(ways, rounds, turn);
    print(scheme, ways);
  } finally {
    relay.kill();
    proxy.process.kill();
    await broker.stop();
  }
}

async function turn(way: Way): Promise<void> {
  for (let count = 0; count < requestsInRound; count++)
    way.requestMs.push(await timed(() => exchange(way, "/api/4.0/user")));
  way.downMs.push(await timed(() => exchange(way, `/down/${downBytes}`)));
  way.upMs.push(await timed(() => exchange(way, "/up", upBytes)));
}

function exchange({ url, token, agent }: Way, path: string, bytes = 0): Promise<void> {
  const headers = {
    Authorization: `Bearer ${token}`,
    ...(bytes > 0 ? { "Content-Length": bytes } : {}),
  };
  const options = { agent, method: bytes > 0 ? "POST" : "GET", headers };
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === "https:" ? requestHttps : requestHttp)(
      new URL(path, url),
      options,
      (response) => {
        if (response.statusCode !== 200)
          reject(new Error(`${path} was answered with ${response.statusCode}.`));
        response.resume().on("end", resolve).on("error", reject);
      },
    );
    outgoing.on("error", reject);
    const write = (left: number): void => {
      if (left <= 0) return void outgoing.end();
      if (outgoing.write(chunk)) write(left - chunk.length);
      else outgoing.once("drain", () => write(left - chunk.length));
    };
    write(bytes);
  });
}

function print(scheme: string, ways: readonly Way[]): void {
  // The first round compiles the code.
  const warm = (values: readonly number[]) => values.slice(values.length / rounds);
  const [direct] = ways;
  const shownRequest = ({ requestMs }: Way, part: number) => {
    const ms = quantile(warm(requestMs), part);
    const added = ms - quantile(warm(direct?.requestMs ?? []), part);
    return `${ms.toFixed(2)} (+ ${added.toFixed(2)})`;
  };
  const shownRate = (bytes: number, values: readonly number[], directly: readonly number[] = []) => {
    const ms = median(warm(values));
    return `${(bytes / 1e3 / ms).toFixed(0)} (${(median(warm(directly)) / ms).toFixed(2)})`;
  };
  printTable(
    [
      `Looker over ${scheme}, median of ${rounds - 1} rounds`,
      "a request at p50, ms",
      "at p99, ms",
      "200 MB down, MB/s (ratio)",
      "50 MB up, MB/s (ratio)",
    ],
    ways.map((way) => [
      way.name,
      shownRequest(way, 0.5),
      shownRequest(way, 0.99),
      shownRate(downBytes, way.downMs, direct?.downMs),
      shownRate(upBytes, way.upMs, direct?.upMs),
    ]),
  );
}

const wayTo = (name: string, url: string, token: string, agent: HttpAgent): Way => ({
  ...{ name, url: new URL(url), token, agent },
  requestMs: [],
  downMs: [],
  upMs: [],
});

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

interface BenchedProxy {
  readonly url: string;
  readonly process: ChildProcess;
  login(): Promise<string>;
}

/** The command itself, as a sidecar. */
async function startProxy(brokerUrl: string, authorityFile: string): Promise<BenchedProxy> {
  const pathOf = (file: string) => fileURLToPath(new URL(`../cli/${file}`, import.meta.url));
  const pair = { client_id: "bench", client_secret: "secret-of-the-bench" };
  const command = spawn(
    process.execPath,
    ["--import", pathOf("from-source.mjs"), pathOf("src/main.ts"), "proxy", "--scope", "sales", "--json"],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        LOOKER_BROKER_ENDPOINT: `${brokerUrl}/v1`,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY: "example-secret",
        NODE_EXTRA_CA_CERTS: authorityFile,
        LOOKER_PROXY_CLIENT_ID: pair.client_id,
        LOOKER_PROXY_CLIENT_SECRET: pair.client_secret,
      },
    },
  );
  const [line] = await once(createInterface(command.stdout), "line");
  const { base_url: url } = JSON.parse(line);
  return {
    url,
    process: command,
    async login() {
      const response = await fetch(`${url}/api/4.0/login`, {
        method: "POST",
        body: new URLSearchParams(pair),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    },
  };
}
