/** Each step of an exchange, broken: was the request sent, and was it answered? */
import { createServer } from "node:http";
import type { Server, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { LoginOutcome, LogoutOutcome } from "../../../functions/use-cases/ports.ts";
import { canary } from "../../support/canary.ts";
import { certificate } from "../../support/certificates.ts";
import {
  adapter,
  authority,
  credentials,
  jsonSays,
  listening,
  onRequest,
  rawServer,
  startServer,
  tlsServer,
  trusted,
} from "./looker-under-test.ts";

const localhost = ["localhost", "127.0.0.1"];
const yesterday = () => new Date(Date.now() - 86_400_000);
const { cert, key } = certificate({ names: localhost });
const short = { loginMs: 400, logoutMs: 400, userMs: 400 };

const says =
  (...parts: readonly (string | Uint8Array)[]) =>
  (socket: Socket) => {
    for (const part of parts) socket.write(part);
    socket.end();
  };
const reset = (socket: Socket) => socket.resetAndDestroy();
const tokenJson = JSON.stringify({ access_token: canary.token, token_type: "Bearer", expires_in: 3_600 });

describe("not sent, so that it is unreached and may be tried again", () => {
  it.each<[what: string, server: () => Server, reason: string]>([
    ["a certificate that signs itself", () => tlsServer(never, { cert, key }), "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["an expired certificate", () => tlsServer(never, trusted(localhost, yesterday())), "CERT_HAS_EXPIRED"],
    [
      "another host's certificate",
      () => tlsServer(never, trusted(["looker.example"])),
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    [
      "an unknown authority's certificate",
      () =>
        tlsServer(never, certificate({ names: localhost, issuer: certificate({ names: ["X"] }).authority })),
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    [
      "a server that asks for the client's certificate",
      () => tlsServer(never, { ...trusted(localhost), ...asksForCertificate }),
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    ],
    [
      "the same in TLS 1.2",
      () => tlsServer(never, { ...trusted(localhost), ...asksForCertificate, maxVersion: "TLSv1.2" }),
      "EPROTO",
    ],
    [
      "a server that speaks no TLS but 1.1",
      () =>
        tlsServer(never, {
          ...trusted(localhost),
          minVersion: "TLSv1",
          maxVersion: "TLSv1.1",
          ciphers: "ALL:@SECLEVEL=0",
        }),
      "EPROTO",
    ],
    ["a plain HTTP port", () => createServer(never), "EPROTO"],
    ["a connection that is reset at once", () => rawServer(reset), "ECONNRESET"],
    ["a handshake that is reset", () => onRequest(reset), "ECONNRESET"],
    ["a handshake that is closed", () => onRequest((socket) => socket.end()), "ECONNRESET"],
  ])("%s", async (_, server, reason) => {
    const url = `https://localhost:${await listening(server())}`;
    const { login, logout, slept } = adapter();
    expect(await login(url, credentials)).toEqual({ kind: "unreached", reason });
    expect(slept).toEqual([250]);
    expect(await logout(url, canary.token)).toBe("unreached");
  });

  it("a handshake that is not answered: no second try, for the time is up", async () => {
    const url = `https://localhost:${await listening(rawServer(() => {}))}`;
    const { login, logout, slept } = adapter(short);
    expect(await login(url, credentials)).toEqual({ kind: "unreached", reason: "timeout" });
    expect(slept).toEqual([]);
    expect(await logout(url, canary.token)).toBe("unreached");
  });

  it("the second try may reach it", async () => {
    let connections = 0;
    const server = tlsServer((_, response) => response.end(tokenJson), trusted(localhost));
    server.prependListener("connection", (socket: Socket) => {
      if (connections++ === 0) socket.resetAndDestroy();
    });
    const url = `https://localhost:${await listening(server)}`;
    expect((await adapter().login(url, credentials)).kind).toBe("token");
    expect(connections).toBe(2);
  });

  it("an alert of TLS as the answer to plain HTTP", async () => {
    // level fatal, unexpected_message
    const alert = Buffer.from("1503010002020a", "hex");
    const url = `http://127.0.0.1:${await listening(onRequest(says(alert)))}`;
    expect(await adapter().login(url, credentials)).toEqual({
      kind: "unreached",
      reason: "tls_at_http_url",
    });
    expect(await adapter().logout(url, canary.token)).toBe("unreached");
  });
});

describe("sent, and then", () => {
  const unknown = (reason: string): LoginOutcome => ({ kind: "unknown", reason });
  const failed = (reason: string, more = {}): LoginOutcome => ({ kind: "failed", reason, ...more });
  const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
  const length = `content-length: ${tokenJson.length}\r\n`;
  const token: LoginOutcome = {
    kind: "token",
    accessToken: canary.token,
    expiresInSeconds: 3_600,
  };

  it.each<[what: string, answer: (socket: Socket) => void, login: LoginOutcome, logout: LogoutOutcome]>([
    ["a reset", reset, unknown("ECONNRESET"), "timed_out"],
    ["an end without a word", (socket) => socket.end(), unknown("ECONNRESET"), "timed_out"],
    ["nothing", () => {}, unknown("timeout"), "timed_out"],
    ["half of a status line", (socket) => socket.write("HTTP/1.1 2"), unknown("timeout"), "timed_out"],
    ["headers without end", (socket) => socket.write(head), unknown("timeout"), "timed_out"],
    [
      "a body that stops in the middle",
      (socket) => socket.write(`${head}${length}\r\n{"access_`),
      unknown("timeout"),
      "timed_out",
    ],
    ["a body that is cut", says(`${head}${length}\r\n{"access_`), unknown("ECONNRESET"), "timed_out"],
    [
      "a chunk that is cut",
      says(`${head}transfer-encoding: chunked\r\n\r\nff\r\n{"access_`),
      unknown("ECONNRESET"),
      "timed_out",
    ],
    [
      "chunks that are none",
      says(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`),
      unknown("HPE_INVALID_CHUNK_SIZE"),
      "timed_out",
    ],
    [
      "two lengths",
      says(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`),
      unknown("HPE_UNEXPECTED_CONTENT_LENGTH"),
      "timed_out",
    ],
    [
      "both a length and chunks",
      says(`${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
      unknown("HPE_INVALID_TRANSFER_ENCODING"),
      "timed_out",
    ],
    [
      "headers of 40 kB",
      says(`${head}x: ${"a".repeat(40_000)}\r\n\r\n`),
      unknown("HPE_HEADER_OVERFLOW"),
      "timed_out",
    ],
    [
      "a status that is no number",
      says("HTTP/1.1 2x0 OK\r\n\r\n"),
      unknown("HPE_INVALID_STATUS"),
      "timed_out",
    ],
    ["100 and no more", says("HTTP/1.1 100 Continue\r\n\r\n"), unknown("ECONNRESET"), "timed_out"],
    [
      "100 and then no HTTP",
      says("HTTP/1.1 100 Continue\r\n\r\nXYZ\r\n\r\n"),
      unknown("HPE_INVALID_CONSTANT"),
      "timed_out",
    ],
    ["a mail server's greeting", says("220 smtp.example.com ESMTP\r\n"), failed("not_http"), "unconfirmed"],
    [
      "a change of protocol",
      (socket) =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
      failed("status_101"),
      "unconfirmed",
    ],
    [
      "a page that says to use https",
      says("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"),
      failed("status_400"),
      "unconfirmed",
    ],
    [
      "100 and then the token",
      says(`HTTP/1.1 100 Continue\r\n\r\n${head}${length}\r\n${tokenJson}`),
      token,
      "unconfirmed",
    ],
    [
      "103 and then the token",
      says(`HTTP/1.1 103 Early Hints\r\n\r\n${head}${length}\r\n${tokenJson}`),
      token,
      "unconfirmed",
    ],
    ["a token by HTTP/1.0", says(`HTTP/1.0 200 OK\r\n\r\n${tokenJson}`), token, "unconfirmed"],
    [
      "a token by HTTP/1.0, cut after its name",
      says(`HTTP/1.0 200 OK\r\n\r\n${tokenJson.slice(0, 18)}`),
      failed("not_json", { tokenLost: true }),
      "unconfirmed",
    ],
    [
      "JSON by HTTP/1.0, cut before any name",
      says(`HTTP/1.0 200 OK\r\n\r\n${tokenJson.slice(0, 6)}`),
      failed("not_json", { tokenLost: true }),
      "unconfirmed",
    ],
    [
      "a token that is followed by megabytes",
      says(`${head}\r\n${tokenJson}`, Buffer.alloc(3_000_000, 0x20)),
      failed("too_large", { unusableToken: canary.token }),
      "unconfirmed",
    ],
  ])("%s", async (_, answer, login, logout) => {
    let requests = 0;
    const server = onRequest((socket) => {
      requests++;
      answer(socket);
    });
    const url = `http://127.0.0.1:${await listening(server)}`;
    const broken = adapter(short);
    expect(await broken.login(url, credentials)).toEqual(login);
    expect(broken.slept).toEqual([]);
    expect(requests).toBe(1);
    expect(await broken.logout(url, canary.token)).toBe(logout);
  });

  it("what is answered late or never is not what is answered at once: milliseconds are no time-out", async () => {
    const server = await startServer({ "POST /api/4.0/login": { status: 200, body: "<html>" } });
    const since = performance.now();
    expect(await adapter().login(server.url, credentials)).toEqual(failed("not_json"));
    expect(performance.now() - since).toBeLessThan(5_000);
  });
});

it("over TLS a token comes from a server whose authority is trusted", async () => {
  const server = tlsServer((_, response) => response.end(tokenJson), trusted(localhost));
  const url = `https://localhost:${await listening(server)}`;
  expect((await adapter().login(url, credentials)).kind).toBe("token");
});

it("a proxy that the environment names is not used", async () => {
  const proxy = await startServer({});
  const direct = await startServer({ "POST /api/4.0/login": jsonSays(200, JSON.parse(tokenJson)) });
  const before = { ...process.env };
  Object.assign(process.env, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NODE_USE_ENV_PROXY: "1" });
  const outcome = await adapter().login(direct.url, credentials);
  process.env = before;
  expect(outcome.kind).toBe("token");
  expect(proxy.received).toEqual([]);
});

/** A request that arrives where none may: the outcome could not be `unreached`. */
function never(): never {
  throw new Error("the request was sent");
}

const asksForCertificate = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
