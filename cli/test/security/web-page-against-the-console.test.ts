/** A page in a browser of this machine against the console's port, with the cookie that the browser adds by itself. */
import { describe, expect, it } from "vitest";
import { leaseOf } from "../../../test/support/cli/fake-broker.ts";
import { linesOf, startConsoleStand } from "../console/stand.ts";

const attacks: [string, (port: number) => Record<string, string>][] = [
  [
    "DNS rebinding",
    (port) => ({ host: `rebound.example:${port}`, origin: `http://rebound.example:${port}` }),
  ],
  ["DNS rebinding to a name that begins like loopback", (port) => ({ host: `127.0.0.1.example:${port}` })],
  ["DNS rebinding to a name that ends like loopback", (port) => ({ host: `notlocalhost:${port}` })],
  ["the host of another port of this machine", (port) => ({ host: `127.0.0.1:${port + 1}` })],
  ["a cross-site request with fetch()", () => ({ origin: "https://attacker.example" })],
  ["a form in a sandboxed frame", () => ({ origin: "null" })],
  ["a page on another port of this machine", (port) => ({ origin: `http://127.0.0.1:${port + 1}` })],
  ["a page that says https", (port) => ({ origin: `https://127.0.0.1:${port}` })],
  ["an image", () => ({ "sec-fetch-site": "cross-site" })],
  ["a link of another port of this machine", () => ({ "sec-fetch-site": "same-site" })],
];

describe.each(attacks)("a web page by %s", (_, headersFor) => {
  it("gets nothing and ends nothing, even with the cookie", async () => {
    const { enter, ask, send, base, key, broker, console } = await startConsoleStand();
    broker.leases = [leaseOf("a")];
    const headers = headersFor(console.port);
    const unopened = await send(`${base}?key=${key}`, { headers });
    expect([unopened.status, unopened.headers["set-cookie"]]).toEqual([403, undefined]);
    const cookie = await enter();
    const tries = [
      await send(base, { headers: { cookie, ...headers } }),
      await ask("look", { used: true }, headers),
      await ask("revoke", { scope: "sales", filter: { all: "true" }, typed: "sales" }, headers),
      await ask("freeze", { scope: "sales", reason: "x", typed: "sales" }, headers),
    ];
    for (const { status, text, headers: received } of tries) {
      expect([status, text]).toEqual([403, expect.stringMatching(/^The console /)]);
      expect(Object.keys(received).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect(broker.asked("GET", "PUT", "DELETE")).toEqual([]);
  });
});

it.each([
  ["a form", "application/x-www-form-urlencoded"],
  ["a form of plain text that looks like JSON", "text/plain"],
  ["JSON with a charset, which a form's type may smuggle", "application/json; charset=text/plain"],
])("%s is refused by its type", async (_, type) => {
  const { enter, ask, broker } = await startConsoleStand();
  await enter();
  const question = { scope: "sales", filter: { all: "true" }, typed: "sales" };
  expect((await ask("revoke", question, { "content-type": type })).status).toBe(415);
  expect(broker.asked("DELETE")).toEqual([]);
});

it("a request without an origin, such as a browser sends none of, is refused", async () => {
  const { enter, send, base, broker } = await startConsoleStand();
  const cookie = await enter();
  const headers = { cookie, "content-type": "application/json" };
  const { status } = await send(`${base}look`, { method: "POST", headers, body: '{"used":true}' });
  expect([status, broker.asked("GET")]).toEqual([403, []]);
});

it("a preflight is refused, so the browser sends no such request", async () => {
  const { send, base } = await startConsoleStand();
  const headers = { origin: "https://attacker.example", "access-control-request-method": "POST" };
  const { status, headers: received } = await send(`${base}revoke`, { method: "OPTIONS", headers });
  expect(status).toBe(405);
  expect(Object.keys(received).filter((name) => name.startsWith("access-control"))).toEqual([]);
});

it("a change by a link is not possible: a GET ends nothing", async () => {
  const { enter, send, base, broker } = await startConsoleStand();
  const cookie = await enter();
  for (const name of ["revoke", "freeze", "unfreeze", "look", "count"])
    expect((await send(`${base}${name}?scope=sales&typed=sales`, { headers: { cookie } })).status).toBe(404);
  expect(broker.asked("GET", "PUT", "DELETE")).toEqual([]);
});

it("a frame, a script of another origin and a guessed type are forbidden by the headers of each answer", async () => {
  const { enter, send, ask, base } = await startConsoleStand();
  const refused = await send("/");
  const cookie = await enter();
  const answers = [refused, await send(base, { headers: { cookie } }), await ask("look", { used: true })];
  for (const { headers } of answers) {
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; /);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
    });
  }
});

it("the page's own request with its own origin is answered", async () => {
  const { enter, ask } = await startConsoleStand();
  await enter();
  const answer = await ask("look", { used: true }, { "sec-fetch-site": "same-origin" });
  expect(linesOf(answer).at(-1)).toEqual({ kind: "done" });
});
