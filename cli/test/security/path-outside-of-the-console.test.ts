/** The console serves a handful of files and questions. No path leads to another file, route or host. */
import { connect } from "node:net";
import { expect, it } from "vitest";
import { startConsoleStand } from "../console/stand.ts";

it.each([
  "../server.js",
  "..%2fserver.js",
  "%2e%2e/server.js",
  "..\\server.js",
  "page/../../package.json",
  "./page.js",
  "/etc/passwd",
  "//etc/passwd",
  "page.js%00.html",
  "page.tsx",
  "index.html/",
  "__proto__",
  "constructor",
  "toString",
])("a path such as %s leads to nothing", async (path) => {
  const { enter, send, ask, base } = await startConsoleStand();
  const cookie = await enter();
  const { status, text } = await send(`${base}${path}`, { headers: { cookie } });
  expect([status, text]).toEqual([404, "There is nothing here.\n"]);
  expect((await ask(path, {})).status).toBe(404);
});

it.each([
  ["a whole URL", "GET http://169.254.169.254/latest/meta-data/ HTTP/1.1", "403"],
  ["a tunnel", "CONNECT 169.254.169.254:80 HTTP/1.1", "405"],
  ["an asterisk", "OPTIONS * HTTP/1.1", "405"],
])("%s as the target is refused: the console is not a proxy", async (_, requestLine, status) => {
  const { enter, console } = await startConsoleStand();
  const cookie = await enter();
  const answer = await new Promise<string>((resolve) => {
    let received = "";
    const socket = connect(console.port, "127.0.0.1");
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("close", () => resolve(received));
    socket.write(
      `${requestLine}\r\nHost: 127.0.0.1:${console.port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    );
  });
  expect(answer.split(" ")[1]).toBe(status);
});

it.each([
  ["get a token", "token", {}],
  ["log a caller out", "logout", {}],
  ["ask another route of the broker", "leases", { scope: "sales" }],
])("the page cannot %s: the console has the operators' questions only", async (_, name, question) => {
  const { enter, ask, broker } = await startConsoleStand();
  await enter();
  expect((await ask(name, question)).status).toBe(404);
  expect(broker.asked("GET", "POST", "DELETE")).toEqual([]);
});

it.each([
  ["a scope that is a path", "revoke", { scope: "../scopes/finance", filter: { lease_id: "a" } }],
  ["no filter", "revoke", { scope: "sales", filter: {} }],
  ["an unknown filter", "revoke", { scope: "sales", filter: { lease_id: "a", everything: "true" } }],
  ["everything beside another filter", "revoke", { scope: "sales", filter: { lease_id: "a", all: "true" } }],
  [
    "an unknown field beside the filter",
    "revoke",
    { scope: "sales", filter: { lease_id: "a" }, all: "true" },
  ],
  ["a filter in another place", "revoke", { scope: "sales", lease_id: "a" }],
  ["all of a scope without its typed name", "revoke", { scope: "sales", filter: { all: "true" } }],
  [
    "all of a scope by the name of another",
    "revoke",
    { scope: "sales", filter: { all: "true" }, typed: "Sales" },
  ],
  ["a freeze without the scope's typed name", "freeze", { scope: "sales", reason: "x" }],
  ["a freeze without a reason", "freeze", { scope: "sales", reason: " ", typed: "sales" }],
  ["a token in place of its SHA-256", "whose", { token_sha256: "a-token-of-looker" }],
])("%s is refused, and the broker is not asked", async (_, name, question) => {
  const { enter, ask, broker } = await startConsoleStand();
  await enter();
  const { text } = await ask(name, question);
  expect(JSON.parse(text)).toMatchObject({ kind: "failed", error: { code: "usage" } });
  expect(text).not.toContain("a-token-of-looker");
  expect(broker.asked("GET", "PUT", "DELETE")).toEqual([]);
});

it("a question of many megabytes is refused", async () => {
  const { enter, ask } = await startConsoleStand();
  await enter();
  expect((await ask("freeze", { scope: "sales", reason: "x".repeat(100_000), typed: "sales" })).status).toBe(
    413,
  );
});
