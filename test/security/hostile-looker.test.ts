/**
 * A Looker, or something in its place, that answers what no Looker does. Through the whole broker but for AWS: whatever it
 * says, nobody is served what is no token, no secret shows, and the answer comes in time.
 */

import { createServer, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { lookerApi } from "../../functions/adapters/looker-api.ts";
import { listen } from "../../local/loopback.ts";
import { canary, captureOutput, findLeaks } from "../support/canary.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryBroker, secretId } from "../support/fakes/in-memory-broker.ts";

type Say = (response: ServerResponse, received: string) => void;
type Route = "login" | "logout" | "user" | "elsewhere";

const json =
  (status: number, value: unknown): Say =>
  (response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const token = { access_token: canary.token, token_type: "Bearer", expires_in: 3_600 };
const lookerSays = (status: number, message = "Not found") =>
  json(status, { message, documentation_url: "https://docs.looker.com/" });

/** The callers' routes before a server that says what it is told; the real adapter between them. */
async function facing(says: Partial<Record<Route, Say>>, { loginMs = 10_000 } = {}) {
  const received: Route[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const route = ["login", "logout", "user"].find((name) => request.url === `/api/4.0/${name}`) as
      | Route
      | undefined;
    received.push(route ?? "elsewhere");
    const said = says[route ?? "elsewhere"] ?? json(200, token);
    said(response, `${body} ${JSON.stringify(request.headers)}`);
  });
  const { url, close } = await listen(server);
  onTestFinished(close);
  const broker = inMemoryBroker();
  broker.stored.set(secretId, {
    clientId: "reader",
    clientSecret: canary.clientSecret,
    versionId: "version-1",
  });
  const real = lookerApi({ loginMs, logoutMs: 400, userMs: 400 }, broker.clock);
  const looker = {
    login: (_: string, credentials: { clientId: string; clientSecret: string }) =>
      real.login(url, credentials),
    logout: (_: string, accessToken: string) => real.logout(url, accessToken),
  };
  const api = inMemoryApi({ ...broker, first: { ...broker.first, looker } });
  return { ...api, broker, received, url };
}

/** Nothing of a secret, in the answer, in the records, in the rows or on the console. */
async function withoutLeaks<T extends { text: string }>(
  { lines, broker }: Awaited<ReturnType<typeof facing>>,
  ask: () => Promise<T>,
): Promise<T> {
  const output = captureOutput({ passOn: false });
  const answer = await ask().finally(output.restore);
  // The fake seals by base64 alone.
  const rows = JSON.stringify([...broker.table.items], (key, value) => (key === "sealed" ? "" : value));
  expect(findLeaks([answer.text, JSON.stringify(lines), rows, output.take()].join("\n"))).toEqual([]);
  return answer;
}

const forever =
  (bytes: string, everyMs: number): Say =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => response.write(bytes), everyMs);
    response.on("close", () => clearInterval(timer));
  };

const gzipped = gzipSync(`{"access_token":"${"a".repeat(50_000_000)}"}`);

const notTokens: [what: string, say: Say][] = [
  ["a huge body", json(200, { ...token, more: "a".repeat(200_000) })],
  [
    "a body that unpacks to fifty megabytes",
    (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipped),
  ],
  [
    "a body that is not packed as it says",
    (response) => response.writeHead(200, { "content-encoding": "gzip" }).end("{}"),
  ],
  ["a body without end", forever("a".repeat(16_384), 1)],
  ["a body that trickles", forever(" ", 20)],
  ["headers that trickle", (response) => void response.socket?.write("HTTP/1.1 200 OK\r\nx: ")],
  [
    "huge headers",
    (response) => response.writeHead(200, { x: "a".repeat(200_000) }).end(JSON.stringify(token)),
  ],
  ["no HTTP", (response) => void response.socket?.end("220 smtp.example.com ESMTP\r\n")],
  [
    "a body cut short",
    (response) => {
      response.writeHead(200, { "content-length": "1000" }).write('{"access_token"');
      response.socket?.end();
    },
  ],
  ["an end without a word", (response) => response.socket?.destroy()],
  [
    "a change of protocol",
    (response) =>
      void response.socket?.write(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      ),
  ],
  ["deep lists", (response) => response.end("[".repeat(60_000))],
  ["deep maps", (response) => response.end(`${'{"access_token":'.repeat(4_000)}1${"}".repeat(4_000)}`)],
  ["null", json(200, null)],
  ["a number", json(200, 7)],
  ["a list of tokens", json(200, [token])],
  ["a token under __proto__", (response) => response.end(`{"__proto__":${JSON.stringify(token)}}`)],
  ["a token that is a list", json(200, { ...token, access_token: [canary.token] })],
  ["a token that is a map", json(200, { ...token, access_token: { toString: canary.token } })],
  ["a token that splits a header", json(200, { ...token, access_token: `${canary.token}\r\nx-evil: 1` })],
  ["a token of a megabyte", json(200, { ...token, access_token: "a".repeat(60_000) })],
  [
    "a token with half a character",
    (response) => response.end('{"access_token":"abcdefgh\\ud800","expires_in":3600}'),
  ],
  ["an end that is text", json(200, { ...token, expires_in: "3600" })],
  ["an end that is a list", json(200, { ...token, expires_in: [3_600] })],
  ["an end that is past", json(200, { ...token, expires_in: -3_600 })],
  [
    "an end beyond all numbers",
    (response) => response.end(`{"access_token":"${canary.token}","expires_in":1e999}`),
  ],
  ["a token with the status 201", json(201, token)],
  ["a token with the status 500", json(500, token)],
  ["a token with the status 401", json(401, token)],
];

describe("a login", () => {
  it.each(notTokens)(
    "answered with %s gives no token, and is not tried again by the request",
    async (_, login) => {
      const stand = await facing({ login }, { loginMs: 400 });
      const since = performance.now();
      const answer = await withoutLeaks(stand, () => stand.token());
      expect(performance.now() - since).toBeLessThan(5_000);
      expect([answer.status, answer.body.code]).toEqual([503, "looker_unavailable"]);
      expect(stand.received.filter((route) => route === "login")).toHaveLength(1);
      expect(stand.lines).toMatchObject([
        { code: "looker_unavailable", reason: expect.stringMatching(/^login_(?:unknown|failed)_\w+$/) },
      ]);
    },
  );

  it.each([300, 301, 302, 303, 307, 308])("redirected by %i goes nowhere else", async (status) => {
    const stand = await facing({
      login: (response) =>
        response
          .writeHead(status, { location: `/elsewhere?s=${encodeURIComponent(canary.clientSecret)}` })
          .end(),
    });
    expect((await withoutLeaks(stand, () => stand.token())).status).toBe(503);
    expect(stand.received).toEqual(["login"]);
  });

  it.each([400, 401, 403, 404, 418, 422, 429, 500, 502, 503])(
    "refused by %i with the request echoed, secret and all, shows nothing of it",
    async (status) => {
      const echo: Say = (response, received) => {
        const message = `Bad: ${received} ${canary.clientSecret}`;
        const headers = {
          "content-type": "application/json",
          "x-echo": canary.token,
          "set-cookie": `s=${canary.token}`,
        };
        response
          .writeHead(status, headers)
          .end(JSON.stringify({ message, documentation_url: message, errors: [{ message }] }));
      };
      const stand = await facing({ login: echo });
      expect((await withoutLeaks(stand, () => stand.token())).status).toBeGreaterThanOrEqual(502);
    },
  );

  it.each([
    ["ten thousand years", 1e12, 900],
    ["the largest number", Number.MAX_VALUE, 900],
    ["a fraction", 600.9, 600],
  ])(
    "whose token lives for %s gives a lease of the scope's length at most",
    async (_, expires_in, atMost) => {
      const stand = await facing({ login: json(200, { ...token, expires_in }) });
      const { status, body } = await stand.token();
      expect([status, body.access_token === canary.token]).toEqual([200, true]);
      expect(body.expires_in).toBeLessThanOrEqual(atMost);
      // And again, from the row: what was written can be read.
      expect((await stand.token()).status).toBe(200);
      expect(stand.received).toEqual(["login"]);
    },
  );
});

describe("a logout", () => {
  const refusedByUser = lookerSays(401, "Requires authentication.");
  const noProofs: [what: string, says: Partial<Record<Route, Say>>][] = [
    ...notTokens.map(([what, say]): [string, Partial<Record<Route, Say>>] => [
      what,
      { logout: say, user: refusedByUser },
    ]),
    ...notTokens.map(([what, say]): [string, Partial<Record<Route, Say>>] => [
      `"gone", and then of /user ${what}`,
      { logout: lookerSays(404), user: say },
    ]),
    ["a redirect", { logout: (response) => response.writeHead(302, { location: "/elsewhere" }).end() }],
    [
      "the token echoed",
      { logout: (response, received) => response.writeHead(404).end(JSON.stringify({ message: received })) },
    ],
  ];

  it.each(noProofs)("answered with %s is pending, and stays so", async (_, says) => {
    const stand = await facing(says);
    await stand.token();
    const since = performance.now();
    const { status, body } = await withoutLeaks(stand, () => stand.logOut());
    expect(performance.now() - since).toBeLessThan(5_000);
    expect([status, body]).toEqual([202, { revoked: 0, pending: 1 }]);
    expect(stand.received).not.toContain("elsewhere");
    expect((await stand.broker.slot()).outbox).toHaveLength(1);
  });
});
