/**
 * A page in the developer's browser can send requests to every port of this machine: by a form, an image or fetch() of another
 * origin, or by DNS rebinding. After DNS rebinding the page's own name leads to 127.0.0.1.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startAwsProxy } from "../../local/aws/aws-proxy.ts";
import { startDynalite } from "../../local/aws/dynamodb.ts";
import { startKms } from "../../local/aws/kms.ts";
import { startSecretsManager } from "../../local/aws/secrets-manager.ts";
import { type RunningLooker, startLooker } from "../../local/looker/server.ts";
import { listen } from "../../local/loopback.ts";
import { startTestGateway } from "../support/gateway-fixture.ts";

const location = { partition: "aws", region: "eu-west-1", accountId: "111122223333" };
const account = { userId: "1", displayName: "A", credentials: [{ clientId: "id", clientSecret: "secret" }] };
const names = [
  "gateway",
  "AWS proxy",
  "DynamoDB",
  "KMS",
  "Secrets Manager",
  "Looker",
  "control",
  "Looker's pages",
] as const;

let looker: RunningLooker;
const ports = new Map<(typeof names)[number], number>();
const closing: { close(): Promise<unknown> }[] = [];
beforeAll(async () => {
  looker = await startLooker({ accounts: [account] });
  const [gateway, tables, keys, secrets] = await Promise.all([
    startTestGateway(),
    startDynalite(),
    startKms(),
    startSecretsManager(location),
  ]);
  const engines = { dynamodb: tables.url, kms: keys.url, secretsmanager: secrets.url };
  const proxy = await startAwsProxy({ region: "eu-west-1", credentials: { find: () => undefined }, engines });
  closing.push(proxy, gateway, tables, keys, secrets, looker);
  const urls = [
    gateway.url,
    proxy.url,
    tables.url,
    keys.url,
    secrets.url,
    looker.url,
    looker.controlUrl,
    looker.uiUrl,
  ];
  for (const [at, name] of names.entries()) ports.set(name, Number(new URL(urls[at] ?? "").port));
});
afterAll(async () => {
  for (const each of closing) await each.close();
});

/** As a browser would, whose headers fetch() would not let us set. */
function send(port: number, headers: Record<string, string>, { method = "GET", path = "/", body = "" } = {}) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const attacks: [string, (port: number) => Record<string, string>][] = [
  ["DNS rebinding", (port) => ({ host: `rebound.example:${port}` })],
  ["DNS rebinding to a name that begins like loopback", (port) => ({ host: `127.0.0.1.example:${port}` })],
  ["DNS rebinding to a name that ends like loopback", (port) => ({ host: `notlocalhost:${port}` })],
  ["an address of the network", (port) => ({ host: `192.0.2.1:${port}` })],
  ["a form of another site", (port) => ({ host: `127.0.0.1:${port}`, origin: "https://attacker.example" })],
  ["a form in a sandboxed frame", (port) => ({ host: `127.0.0.1:${port}`, origin: "null" })],
  [
    "a page of another port of this machine",
    (port) => ({ host: `localhost:${port}`, origin: "http://localhost:3000" }),
  ],
  ["an image", (port) => ({ host: `127.0.0.1:${port}`, "sec-fetch-site": "cross-site" })],
  [
    "a link of another port of this machine",
    (port) => ({ host: `localhost:${port}`, "sec-fetch-site": "same-site" }),
  ],
];

describe.each(names)("the port of %s", (name) => {
  it.each(attacks)("refuses %s", async (_, headersFor) => {
    const port = ports.get(name) ?? 0;
    for (const method of ["GET", "POST", "DELETE"]) {
      const { status, text } = await send(port, headersFor(port), { method });
      expect([status, text]).toEqual([403, expect.stringMatching(/^This port /)]);
    }
  });

  it.each([
    ["127.0.0.1", (port: number) => ({ host: `127.0.0.1:${port}` })],
    ["localhost", (port: number) => ({ host: `localhost:${port}` })],
    ["LOCALHOST", (port: number) => ({ host: `LOCALHOST:${port}` })],
    ["[::1]", (port: number) => ({ host: `[::1]:${port}` })],
    ["a tunnel's other end", () => ({ host: "localhost:9999" })],
    [
      "an address that somebody typed",
      (port: number) => ({ host: `localhost:${port}`, "sec-fetch-site": "none" }),
    ],
  ])("answers a program that calls it %s", async (_, headersFor) => {
    const port = ports.get(name) ?? 0;
    const { text } = await send(port, headersFor(port));
    expect(text).not.toMatch(/^This port /);
  });

  it("answers fetch() of Node", async () => {
    const answer = await fetch(`http://127.0.0.1:${ports.get(name)}/`, { method: "POST", body: "{}" });
    expect(await answer.text()).not.toMatch(/^This port /);
  });
});

it("a page changes nothing by the control interface, and reads nothing", async () => {
  const port = ports.get("control") ?? 0;
  const body = JSON.stringify({ client_id: "id", disabled: true });
  const path = "/clients/disable";
  const rebound = { host: `rebound.example:${port}`, "content-type": "application/json" };
  expect((await send(port, rebound, { method: "POST", path, body })).status).toBe(403);
  const { status, text } = await send(port, { host: `rebound.example:${port}` }, { path: "/ledger" });
  expect([status, text]).not.toContain("[");
  const login = await fetch(`${looker.url}/api/4.0/login`, {
    method: "POST",
    body: new URLSearchParams({ client_id: "id", client_secret: "secret" }),
  });
  expect(login.status).toBe(200);
});

it("a refused request does not reach the server's own listener", async () => {
  let reached = 0;
  const server = createServer((_, response) => {
    reached++;
    response.end();
  });
  const { port, close } = await listen(server);
  await send(port, { host: "rebound.example" }, { method: "POST", body: "x".repeat(100_000) });
  expect(reached).toBe(0);
  await send(port, { host: `localhost:${port}` });
  expect(reached).toBe(1);
  await close();
});

it("no port of the local run is opened in another way", () => {
  const folder = fileURLToPath(new URL("../../local", import.meta.url));
  const opening = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".ts") && /\.listen\(/.test(readFileSync(join(folder, path), "utf8")),
  );
  expect(opening).toEqual(["loopback.ts"]);
});
