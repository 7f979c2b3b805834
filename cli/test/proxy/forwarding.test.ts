import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { plantedToken } from "../../../test/support/broker-replies.ts";
import { bearer, bodyOf, type LookerHandler, sendTo, startStand } from "./stand.ts";

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Answers with everything that it was sent. */
const echo: LookerHandler = async (request, response) => {
  const { method, url, rawHeaders } = request;
  const body = await bodyOf(request);
  response.end(JSON.stringify({ method, url, rawHeaders, body: body.toString() }));
};

describe("a request", () => {
  it.each(["Bearer", "bearer", "token"])(
    "with a local token behind %s goes to Looker with the brokered token and no other change",
    async (scheme) => {
      const { send, login, lookerUrl } = await startStand({ looker: echo });
      const { text } = await send("/api/4.0//looks/1%2F2?fields=id,%20title&x=a+b", {
        method: "POST",
        headers: {
          Authorization: `${scheme} ${await login()}`,
          "Content-Type": "application/json",
          "X-Looker-AppId": "PY-SDK 26.12",
          Accept: "application/json",
        },
        body: '{"limit": 5}',
      });
      expect(JSON.parse(text)).toEqual({
        method: "POST",
        url: "/api/4.0//looks/1%2F2?fields=id,%20title&x=a+b",
        body: '{"limit": 5}',
        rawHeaders: [
          ...["Host", new URL(lookerUrl).host],
          ...["Content-Type", "application/json"],
          ...["X-Looker-AppId", "PY-SDK 26.12"],
          ...["Accept", "application/json"],
          ...["Authorization", `Bearer ${plantedToken("lease-1")}`],
          ...["Content-Length", "12"],
          ...["Connection", "keep-alive"],
        ],
      });
    },
  );

  it.each([undefined, "", "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", `Bearer ${plantedToken("lease-1")}`])(
    "with the authorization %j is answered as Looker answers a dead token",
    async (authorization) => {
      const { send, login, broker } = await startStand();
      await login();
      const { status, text } = await send("/api/4.0/user", {
        headers: authorization ? { authorization } : {},
      });
      expect([status, JSON.parse(text)]).toEqual([
        401,
        { message: "Requires authentication.", documentation_url: "http://docs.looker.com/" },
      ]);
      expect(broker.asked).toHaveLength(1);
    },
  );

  it("with a chunked body arrives whole, with its length where it is small", async () => {
    const { send, login } = await startStand({ looker: echo });
    const headers = { ...bearer(await login()), "Transfer-Encoding": "chunked" };
    const { text } = await send("/api/4.0/x", { method: "POST", headers, body: "a small one" });
    const { body, rawHeaders } = JSON.parse(text);
    expect([body, rawHeaders.slice(-4, -2)]).toEqual(["a small one", ["Content-Length", "11"]]);
  });

  it("without a body stays without one", async () => {
    const { send, login } = await startStand({ looker: echo });
    for (const method of ["GET", "DELETE", "OPTIONS"]) {
      const { text } = await send("/api/4.0/x", { method, headers: bearer(await login()) });
      expect(JSON.parse(text).rawHeaders.map((each: string) => each.toLowerCase())).not.toContain(
        "transfer-encoding",
      );
    }
  });

  it("with `Expect: 100-continue` is invited, and its body arrives", async () => {
    const { proxy, login } = await startStand({ looker: echo });
    const token = await login();
    const socket = connect(proxy.port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.write(
      `POST /api/4.0/x HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nAuthorization: Bearer ${token}\r\n` +
        "Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
    );
    while (!received.includes("100 Continue")) await sleep(5);
    socket.write("hello");
    await once(socket, "close");
    expect(received).toContain('"body":"hello"');
    expect(received).not.toMatch(/"expect"/i);
  });

  it("with a dead token and `Expect: 100-continue` is refused before its body", async () => {
    const { proxy } = await startStand();
    const socket = connect(proxy.port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.write(
      `POST /api/4.0/x HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    );
    while (!received.includes("Requires authentication")) await sleep(5);
    expect(received).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });
});

describe("an answer", () => {
  it("that is compressed stays as Looker compressed it", async () => {
    const compressed = gzipSync(randomBytes(10_000));
    const { send, login } = await startStand({
      looker: (_, response) =>
        void response
          .writeHead(200, { "Content-Encoding": "gzip", "Content-Length": compressed.length })
          .end(compressed),
    });
    const headers = { ...bearer(await login()), "Accept-Encoding": "gzip" };
    const { bytes, headers: received } = await send("/api/4.0/x", { headers });
    expect([received["content-encoding"], received["content-length"]]).toEqual([
      "gzip",
      String(compressed.length),
    ]);
    expect(gunzipSync(bytes)).toHaveLength(10_000);
  });

  it("keeps its status, its reason and its headers, but for cookies and those of the connection", async () => {
    const { send, login } = await startStand({
      looker: (_, response) => {
        response.sendDate = false;
        response.writeHead(422, "Not So", [
          ...["X-Request-Id", "abc", "Link", "<a>", "Link", "<b>"],
          ...[
            "Set-Cookie",
            "lb=1",
            "Connection",
            "X-Hop, keep-alive",
            "X-Hop",
            "1",
            "Keep-Alive",
            "timeout=9",
          ],
        ]);
        response.end("no");
      },
    });
    const { status, rawHeaders, text } = await send("/api/4.0/x", { headers: bearer(await login()) });
    expect([status, text]).toEqual([422, "no"]);
    expect(rawHeaders.slice(0, 6)).toEqual(["X-Request-Id", "abc", "Link", "<a>", "Link", "<b>"]);
    expect(rawHeaders.join().toLowerCase()).not.toMatch(/cookie|x-hop|timeout=9/);
  });

  it.each([
    ["to Looker itself leads back to the proxy", "LOOKER/api/4.0/y?z=1#w", "PROXY/api/4.0/y?z=1#w"],
    ["by path stays as it is", "/api/4.0/y", "/api/4.0/y"],
    ["elsewhere stays as it is", "https://elsewhere.example/y", "https://elsewhere.example/y"],
    ["to another scheme of Looker's host stays as it is", "https://127.0.0.1/y", "https://127.0.0.1/y"],
  ])("that redirects %s", async (_, location, expected) => {
    const stand = await startStand({
      looker: (_request, response) =>
        void response.writeHead(302, { Location: location.replace("LOOKER", stand.lookerUrl) }).end(),
    });
    const { status, headers } = await stand.send("/api/4.0/x", { headers: bearer(await stand.login()) });
    expect([status, headers.location]).toEqual([
      302,
      expected.replace("PROXY", `http://127.0.0.1:${stand.proxy.port}`),
    ]);
  });

  it("to HEAD, and one without content, has no body", async () => {
    const { send, login } = await startStand({
      looker: ({ method }, response) =>
        void response
          .writeHead(method === "HEAD" ? 200 : 204, method === "HEAD" ? { "Content-Length": 7 } : {})
          .end(),
    });
    const headers = bearer(await login());
    const head = await send("/api/4.0/x", { method: "HEAD", headers });
    expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "7", ""]);
    expect((await send("/api/4.0/x", { method: "DELETE", headers })).status).toBe(204);
  });

  it("begins as soon as Looker's does", async () => {
    let finish = () => {};
    const { proxy, login } = await startStand({
      looker: (_, response) => {
        response.writeHead(200).write("first");
        finish = () => void response.end("last");
      },
    });
    const headers = bearer(await login());
    const response = await fetch(`http://127.0.0.1:${proxy.port}/api/4.0/x`, { headers });
    const reader = response.body?.getReader();
    const next = async () => Buffer.from((await reader?.read())?.value ?? []).toString();
    // Looker goes on after this line. A proxy waiting for the end would wait for ever.
    expect(await next()).toBe("first");
    finish();
    expect(await next()).toBe("last");
  });

  it("that breaks off in the middle breaks off for the tool", async () => {
    const { send, login } = await startStand({
      looker: (_, response) => {
        response.writeHead(200, { "Content-Length": 100 }).write("half");
        setTimeout(() => response.destroy(), 50);
      },
    });
    await expect(send("/api/4.0/x", { headers: bearer(await login()) })).rejects.toThrow("aborted");
  });

  it("is not awaited when the tool goes away", async () => {
    let isGone = false;
    const { proxy, login } = await startStand({
      looker: (request) =>
        void request.on("close", () => {
          isGone = true;
        }),
    });
    const token = await login();
    const leaving = new AbortController();
    const asked = fetch(`http://127.0.0.1:${proxy.port}/api/4.0/x`, {
      headers: bearer(token),
      signal: leaving.signal,
    }).catch(() => {});
    await sleep(100);
    leaving.abort();
    await asked;
    while (!isGone) await sleep(10);
  });
});

describe("20 MB", () => {
  const large = randomBytes(20 * 1024 * 1024);

  it("come down unchanged", async () => {
    const { send, login } = await startStand({ looker: (_, response) => void response.end(large) });
    const { bytes } = await send("/api/4.0/x", { headers: bearer(await login()) });
    expect(sha256(bytes)).toBe(sha256(large));
  });

  it.each([
    ["with their length", {}],
    ["in chunks", { "Transfer-Encoding": "chunked" }],
    ["when they are invited", { Expect: "100-continue", "Content-Length": large.length }],
  ])("go up unchanged %s", async (_, more) => {
    const { send, login } = await startStand({
      looker: async (request, response) => {
        const length = request.headers["content-length"];
        response.end(JSON.stringify([sha256(await bodyOf(request)), length]));
      },
    });
    const headers = { ...bearer(await login()), ...more };
    const { text } = await send("/api/4.0/x", { method: "POST", headers, body: large });
    expect(JSON.parse(text)).toEqual([
      sha256(large),
      "Transfer-Encoding" in more ? null : String(large.length),
    ]);
  });

  it("wait in Looker's hands while the tool does not read", async () => {
    let sent = 0;
    const { proxy, login } = await startStand({
      looker: async (_, response) => {
        for (let at = 0; at < large.length; at += 65_536) {
          if (!response.write(large.subarray(at, at + 65_536))) await once(response, "drain");
          sent += 65_536;
        }
        response.end();
      },
    });
    const token = await login();
    const socket = connect(proxy.port, "127.0.0.1");
    socket.pause();
    socket.write(
      `GET /x HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    let before = -1;
    while (before !== sent || sent === 0) {
      before = sent;
      await sleep(200);
    }
    expect(sent).toBeLessThan(large.length * 0.75);
    socket.destroy();
  });
});

describe("the connection to Looker", () => {
  it("is kept from one request to the next", async () => {
    const sockets = new Set<unknown>();
    const { send, login } = await startStand({
      looker: ({ socket }, response) => {
        sockets.add(socket);
        response.end("{}");
      },
    });
    const headers = bearer(await login());
    for (let count = 0; count < 5; count++) await send("/api/4.0/x", { headers });
    await send("/api/4.0/x", { method: "POST", headers, body: "hello" });
    expect(sockets.size).toBe(1);
  });

  it("closed by Looker under a request is replaced, but not for a POST", async () => {
    const served = new Set<unknown>();
    const { send, login } = await startStand({
      looker: ({ socket }, response) => {
        if (served.has(socket)) return void socket.destroy();
        served.add(socket);
        response.end("{}");
      },
    });
    const headers = bearer(await login());
    const statuses: number[] = [];
    for (const method of ["GET", "GET", "PUT", "POST"])
      statuses.push(
        (await send("/api/4.0/x", { method, headers, body: method === "GET" ? "" : "{}" })).status,
      );
    expect(statuses).toEqual([200, 200, 200, 502]);
  });
});

it("a Looker without an answer is an error in one line", async () => {
  const { send, login, notes, lookerUrl } = await startStand({
    looker: (request) => void request.socket.destroy(),
  });
  const headers = bearer(await login());
  const { status, text } = await send("/api/4.0/x", { headers });
  const line = `Looker at ${new URL(lookerUrl).host} gave no answer (ECONNRESET).`;
  expect([status, JSON.parse(text).message]).toEqual([502, line]);
  await send("/api/4.0/x", { headers });
  expect(notes).toEqual([line]);
});

it("a port in use is an error with the way out", async () => {
  const { proxy } = await startStand();
  const { startProxy } = await import("../../src/proxy/proxy.ts");
  const starting = startProxy({
    ...{ pair: { id: "i", secret: "s" }, port: proxy.port, session: undefined, sessionPrefix: "x" },
    allowCredentials: false,
    clientOf: () => {
      throw new Error("No client is needed.");
    },
    onNote: () => {},
  });
  await expect(starting).rejects.toThrow(
    `Port ${proxy.port} is in use: choose another with --port (0 picks a free one).`,
  );
});

it("an offer of h2c, as some HTTP clients make with each request, is passed over", async () => {
  const { proxy, login } = await startStand({ looker: echo });
  const { text } = await sendTo(proxy.port, "/api/4.0/x", {
    method: "POST",
    headers: {
      ...bearer(await login()),
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQ",
    },
    body: "hello",
  });
  const { rawHeaders, body } = JSON.parse(text);
  expect([body, rawHeaders.join().toLowerCase()]).toEqual([
    "hello",
    expect.not.stringMatching(/upgrade|http2/),
  ]);
});
