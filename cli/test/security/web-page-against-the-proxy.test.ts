/** A page in a browser of this machine can send requests to every port of it, by forms, images, fetch() or DNS rebinding. */
import { describe, expect, it } from "vitest";
import { bearer, form, startStand } from "../proxy/stand.ts";

const attacks: [string, (port: number) => Record<string, string>][] = [
  ["DNS rebinding", (port) => ({ host: `rebound.example:${port}` })],
  ["DNS rebinding to a name that begins like loopback", (port) => ({ host: `127.0.0.1.example:${port}` })],
  ["DNS rebinding to a name that ends like loopback", (port) => ({ host: `notlocalhost:${port}` })],
  ["the host of another port of this machine", (port) => ({ host: `127.0.0.1:${port + 1}` })],
  ["the host of the usual port", () => ({ host: "localhost" })],
  ["a form of another site", (port) => ({ host: `127.0.0.1:${port}`, origin: "https://attacker.example" })],
  ["a form in a sandboxed frame", (port) => ({ host: `127.0.0.1:${port}`, origin: "null" })],
  ["a page that claims the proxy's own origin", (port) => ({ origin: `http://127.0.0.1:${port}` })],
  ["an image", () => ({ "sec-fetch-site": "cross-site" })],
  ["a link of another port of this machine", () => ({ "sec-fetch-site": "same-site" })],
];

describe.each(attacks)("a web page by %s", (_, headersFor) => {
  it("gets nothing, even with the pair and a live token", async () => {
    const { send, login, pair, proxy, broker } = await startStand();
    const token = await login();
    const headers = { host: `127.0.0.1:${proxy.port}`, ...headersFor(proxy.port) };
    const body = `client_id=${pair.id}&client_secret=${pair.secret}`;
    const tries = [
      await send("/api/4.0/login", { method: "POST", headers: { ...form, ...headers }, body }),
      await send("/api/4.0/user", { headers: { ...bearer(token), ...headers } }),
      await send("/api/logout", { method: "DELETE", headers: { ...bearer(token), ...headers } }),
    ];
    for (const { status, text, headers: received } of tries) {
      expect([status, text]).toEqual([403, expect.stringMatching(/^\{"message":"This proxy /)]);
      expect(received).not.toHaveProperty("access-control-allow-origin");
    }
    expect(broker.asked).toHaveLength(1);
    expect((await send("/api/4.0/user", { headers: bearer(token) })).status).toBe(200);
  });
});

it("a preflight of a web page is refused, so the browser sends no such request", async () => {
  const { send } = await startStand();
  const headers = { origin: "https://attacker.example", "access-control-request-method": "PATCH" };
  const { status, headers: received } = await send("/api/4.0/session", { method: "OPTIONS", headers });
  expect(status).toBe(403);
  expect(Object.keys(received).filter((name) => name.startsWith("access-control"))).toEqual([]);
});
