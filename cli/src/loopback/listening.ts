/** A server on 127.0.0.1 alone, from its port to its end. The proxy and the console share it. */
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { UsageError } from "../usage-error.ts";

/** @returns the number of `--port`. 0 picks a free one. */
export function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError("--port takes a number from 0 to 65535; 0 picks a free port.");
  return Number(text);
}

/**
 * @returns the port.
 * @throws {UsageError} where the port cannot be had.
 */
export async function listen(server: Server, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const why = code === "EACCES" ? "may not be used by you" : "is in use";
    throw new UsageError(`Port ${port} ${why}: choose another with --port (0 picks a free one).`);
  }
  return (server.address() as AddressInfo).port;
}

/** CONNECT would make a tunnel to any address. */
export function refuseTunnels(server: Server): void {
  server.on("connect", (_: IncomingMessage, socket: Socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
}

/** Takes no more requests, and gives those under way so many milliseconds. */
export function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
    // A connection becomes idle when its answer is out. Kept alive, it would hold the end up for seconds.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(cutOff);
      clearInterval(sweep);
      resolve();
    });
  });
}
