/** A proxy that leads anywhere is a way into the network of its machine. This one leads to Looker. */
import { connect } from "node:net";
import { expect, it } from "vitest";
import { bearer, startStand } from "../proxy/stand.ts";

/** The answer to a request line that no HTTP client would write. */
function raw(port: number, requestLine: string, headers: string): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("close", () => resolve(received));
    socket.write(`${requestLine}\r\nHost: 127.0.0.1:${port}\r\n${headers}Connection: close\r\n\r\n`);
  });
}

it.each([
  ["a whole URL", "GET http://169.254.169.254/latest/meta-data/ HTTP/1.1", 403],
  ["a whole URL of the proxy itself", "GET http://127.0.0.1/api/4.0/user HTTP/1.1", 403],
  ["a tunnel", "CONNECT 169.254.169.254:80 HTTP/1.1", 405],
  ["an asterisk", "OPTIONS * HTTP/1.1", 403],
])(
  "%s as the target is refused with a live token, and Looker is not asked",
  async (_, requestLine, status) => {
    let asked = 0;
    const { proxy, login } = await startStand({
      looker: (_request, response) => {
        asked++;
        response.end("{}");
      },
    });
    const token = await login();
    const answer = await raw(proxy.port, requestLine, `Authorization: Bearer ${token}\r\n`);
    expect([answer.split(" ")[1], asked]).toEqual([String(status), 0]);
  },
);

it.each(["//evil.example/x", "/\\evil.example/x", "/@evil.example/x"])(
  "a path such as %s that looks like another host goes to Looker as a path",
  async (path) => {
    const seen: unknown[] = [];
    const { send, login } = await startStand({
      looker: (request, response) => {
        seen.push(request.url);
        response.end("{}");
      },
    });
    expect((await send(path, { headers: bearer(await login()) })).status).toBe(200);
    expect(seen).toEqual([path]);
  },
);

it("a change of protocol is refused", async () => {
  const { proxy, login } = await startStand();
  const headers = `Authorization: Bearer ${await login()}\r\nUpgrade: websocket\r\n`;
  const answer = await raw(proxy.port, "GET /api/4.0/x HTTP/1.1", headers);
  expect(answer).toMatch(/^HTTP\/1\.1 403 .*This proxy upgrades no connection\./s);
});
