/** Which connection a request goes over: kept within an invocation, and never longer. */
import type { Server, Socket } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { canary } from "../../support/canary.ts";
import { adapter, credentials, listening, rawServer, tlsServer, trusted } from "./looker-under-test.ts";

/** On a busy machine. */
const patience = { timeout: 10_000 };

/** Answers each request, and tells connections apart. */
async function countingServer(answer = "HTTP/1.1 204 No Content\r\n\r\n") {
  const connections: Socket[] = [];
  /** By the connection's number. */
  const requests: number[] = [];
  const held: (() => void)[] = [];
  const state = { hold: false };
  const server = rawServer((socket) => {
    const number = connections.push(socket);
    socket.on("data", () => {
      requests.push(number);
      if (state.hold) held.push(() => socket.write(answer));
      else socket.write(answer);
    });
  });
  const url = `http://127.0.0.1:${await listening(server)}`;
  return {
    url,
    connections,
    requests,
    state,
    release: () => {
      for (const go of held.splice(0)) go();
    },
    open: () => connections.filter((socket) => !socket.closed).length,
  };
}

it("logouts of one invocation share a connection", async () => {
  const server = await countingServer();
  const { logout } = adapter();
  for (let turn = 0; turn < 3; turn++) expect(await logout(server.url, canary.token)).toBe("ended");
  expect(server.requests).toEqual([1, 1, 1]);
});

it("a connection that is used often gathers no listeners", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  const server = await countingServer();
  const { logout } = adapter();
  for (let turn = 0; turn < 15; turn++) await logout(server.url, canary.token);
  expect(server.connections).toHaveLength(1);
  // Warnings come by the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

it("an invocation's end closes what is idle, and the next begins with a connection of its own", async () => {
  const server = await countingServer();
  const { logout, disconnect } = adapter();
  await logout(server.url, canary.token);
  disconnect();
  await vi.waitUntil(() => server.open() === 0, patience);
  await logout(server.url, canary.token);
  expect(server.requests).toEqual([1, 2]);
});

it("over TLS as well", async () => {
  let connections = 0;
  const server: Server = tlsServer((_, response) => response.writeHead(204).end(), trusted(["localhost"]));
  server.on("secureConnection", () => {
    connections++;
  });
  const url = `https://localhost:${await listening(server)}`;
  const { logout, disconnect } = adapter();
  await logout(url, canary.token);
  await logout(url, canary.token);
  expect(connections).toBe(1);
  disconnect();
  await logout(url, canary.token);
  expect(connections).toBe(2);
});

it("what is under way at the end is answered, and its connection is closed after that", async () => {
  const server = await countingServer();
  const { logout, disconnect } = adapter();
  server.state.hold = true;
  const late = logout(server.url, canary.token);
  await vi.waitUntil(() => server.requests.length === 1, patience);
  disconnect();
  server.release();
  expect(await late).toBe("ended");
  await vi.waitUntil(() => server.open() === 0, patience);
});

it("a login goes over a connection of its own, even where one is kept", async () => {
  const server = await countingServer();
  const { login, logout } = adapter();
  await logout(server.url, canary.token);
  await login(server.url, credentials);
  await logout(server.url, canary.token);
  expect(server.requests).toEqual([1, 2, 1]);
});

it.each<[how: string, forget: (socket: Socket) => void]>([
  ["is reset", (socket) => socket.once("data", () => socket.resetAndDestroy())],
  ["is closed", (socket) => socket.once("data", () => socket.end())],
])("a logout whose kept connection %s at its next use is sent again over a new one", async (_, forget) => {
  const server = await countingServer();
  const { logout } = adapter();
  await logout(server.url, canary.token);
  const [kept] = server.connections;
  kept?.removeAllListeners("data");
  if (kept) forget(kept);
  expect(await logout(server.url, canary.token)).toBe("ended");
  expect(server.requests).toEqual([1, 2]);
});

it("a logout whose new connection is reset is not sent again", async () => {
  let connections = 0;
  const server = rawServer((socket) => {
    connections++;
    socket.once("data", () => socket.resetAndDestroy());
  });
  const url = `http://127.0.0.1:${await listening(server)}`;
  expect(await adapter().logout(url, canary.token)).toBe("timed_out");
  expect(connections).toBe(1);
});

it("a logout that hangs on a kept connection has timed out, and is not sent again", async () => {
  const server = await countingServer();
  const { logout } = adapter({ loginMs: 300, logoutMs: 300, userMs: 300 });
  await logout(server.url, canary.token);
  server.state.hold = true;
  expect(await logout(server.url, canary.token)).toBe("timed_out");
  expect(server.requests).toEqual([1, 1]);
});
