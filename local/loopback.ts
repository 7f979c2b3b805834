/** Servers on loopback. Their ports ask for no credentials, so only this machine may reach them. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Cuts off requests under way, because a hanging request would keep the process alive. */
  close(): Promise<void>;
}

/** `port` 0 picks a free one. */
export async function listen(server: Server, port = 0): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Names the flag when a port that it set is taken. */
export async function explainTakenPort<T>(
  flags: Readonly<Record<string, number>>,
  starting: Promise<T>,
): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number };
    const flag = Object.keys(flags).find((name) => flags[name] === port && port !== 0);
    if (!flag || (code !== "EADDRINUSE" && code !== "EACCES")) throw error;
    const why = code === "EACCES" ? "may not be used by you" : "is in use";
    throw new Error(`Port ${port} ${why}: choose another with ${flag} (0 picks a free one).`);
  }
}
