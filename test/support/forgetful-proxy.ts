/** A TCP proxy that forgets its connections, as a NAT gateway does: no word of it until the next byte, which is answered by RST. */
import { connect, createServer, type Socket } from "node:net";

export interface ForgetfulProxy {
  readonly url: string;
  /** How many connections are open now. */
  open(): number;
  /** Forgets those. New ones are passed on as before. */
  forget(): void;
  close(): Promise<void>;
}

export async function forgetfulProxy(target: string): Promise<ForgetfulProxy> {
  const { hostname, port } = new URL(target);
  const open = new Map<Socket, Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    open.set(client, upstream);
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.on("close", () => {
      open.delete(client);
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${own}`,
    open: () => open.size,
    forget() {
      for (const [client, upstream] of open) {
        client.unpipe();
        upstream.unpipe();
        client.once("data", () => client.resetAndDestroy());
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of open.keys()) client.destroy();
      }),
  };
}
