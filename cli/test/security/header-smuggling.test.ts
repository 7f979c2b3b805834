/** Headers with two readings: the proxy checks one request, and Looker would serve another. */
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { plantedToken } from "../../../test/support/broker-replies.ts";
import { bearer, bodyOf, startStand } from "../proxy/stand.ts";

async function echoStand() {
  const seen: { method: string | undefined; rawHeaders: string[]; body: string }[] = [];
  const stand = await startStand({
    async looker(request, response) {
      const body = (await bodyOf(request)).toString();
      seen.push({ method: request.method, rawHeaders: request.rawHeaders, body });
      response.end("{}");
    },
  });
  return { ...stand, seen };
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

function raw(port: number, lines: readonly string[], body = ""): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("close", () => resolve(received)).on("error", () => resolve(received));
    socket.write([...lines, "", body].join("\r\n"));
    setTimeout(() => socket.destroy(), 500);
  });
}

describe("a `Connection` header", () => {
  it.each(["authorization", "host", "content-length", "content-type", "Authorization, Content-Length, Host"])(
    "with %s removes nothing essential",
    async (named) => {
      const { send, login, seen, lookerUrl } = await echoStand();
      await send("/api/4.0/x", {
        method: "POST",
        headers: { ...bearer(await login()), "Content-Type": "text/plain", Connection: `close, ${named}` },
        body: "hello",
      });
      const headers = seen[0]?.rawHeaders ?? [];
      expect([
        valuesOf(headers, "authorization"),
        valuesOf(headers, "host"),
        valuesOf(headers, "content-length"),
        valuesOf(headers, "content-type"),
        seen[0]?.body,
      ]).toEqual([
        [`Bearer ${plantedToken("lease-1")}`],
        [new URL(lookerUrl).host],
        ["5"],
        ["text/plain"],
        "hello",
      ]);
    },
  );
});

it("a second `Authorization`, a cookie, or a proxy's credentials do not reach Looker", async () => {
  const { proxy, login, seen } = await echoStand();
  await raw(proxy.port, [
    "GET /api/4.0/x HTTP/1.1",
    `Host: 127.0.0.1:${proxy.port}`,
    `Authorization: Bearer ${await login()}`,
    "Authorization: Basic dXNlcjpwYXNz",
    "Cookie: rack.session=somebody",
    "Proxy-Authorization: Basic dXNlcjpwYXNz",
    "Connection: close",
  ]);
  const headers = seen[0]?.rawHeaders ?? [];
  expect(valuesOf(headers, "authorization")).toEqual([`Bearer ${plantedToken("lease-1")}`]);
  expect(headers.join("\n")).not.toMatch(/dXNlcjpwYXNz|rack\.session/);
});

it.each(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])(
  "%s, which makes a logout of a harmless request, does not reach Looker",
  async (name) => {
    const { send, login, seen } = await echoStand();
    await send("/api/4.0/x", { method: "POST", headers: { ...bearer(await login()), [name]: "DELETE" } });
    expect(seen.map(({ rawHeaders }) => valuesOf(rawHeaders, name.toLowerCase()))).toEqual([[]]);
  },
);

it.each([
  ["two lengths", ["Content-Length: 5", "Content-Length: 6"]],
  ["a length beside chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
  ["a coding that is not known to be chunked", ["Transfer-Encoding: chunked, identity"]],
  ["a space before the colon", ["Content-Length : 5"]],
  ["a folded line", ["X-A: 1", " Content-Length: 5"]],
])("%s, which two servers read differently, get no request through", async (_, lines) => {
  const { proxy, login, seen } = await echoStand();
  const head = ["POST /api/4.0/x HTTP/1.1", `Host: 127.0.0.1:${proxy.port}`];
  const answer = await raw(
    proxy.port,
    [...head, `Authorization: Bearer ${await login()}`, ...lines],
    "hello",
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(seen).toEqual([]);
});
