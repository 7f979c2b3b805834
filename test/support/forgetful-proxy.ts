/** A TCP proxy that forgets its connections, as a NAT gateway does: no word of it until the next byte, which is answered by RST. */
import { connect, createServer, type Socket } from "node:net";

export interface ForgetfulProxy {
  readonly url: string;
  /** All that are open now. New ones are passed on as before. @returns how many there were */
  forget(): number;
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
    forget() {
      for (const [client, upstream] of open) {
        client.unpipe();
        upstream.unpipe();
        client.once("data", () => client.resetAndDestroy());
      }
      return open.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of open.keys()) client.destroy();
      }),
  };
}
