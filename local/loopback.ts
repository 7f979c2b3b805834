/**
 * Servers on loopback. Most ports ask for no credentials, so only programs of this machine may reach them. Web pages, open in a
 * browser of this machine, may not.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback } from "../functions/domain/scope.ts";

export interface Listening {
  readonly url: string;
  readonly port: number;
  /** Cuts off requests under way, because a hanging request would keep the process alive. */
  close(): Promise<void>;
}

/** Requests of web pages that a server expects. */
type Expects = (message: IncomingMessage) => boolean;

/** `port` 0 picks a free one. Other requests of web pages are refused before the server's own listener sees them. */
export async function listen(server: Server, port = 0, expects: Expects = () => false): Promise<Listening> {
  refuseWebPages(server, expects);
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

function refuseWebPages(server: Server, expects: Expects): void {
  const own = server.listeners("request");
  server.removeAllListeners("request");
  server.on("request", (message: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOfWebPage(message, expects);
    if (refusal === undefined) for (const listener of own) listener.call(server, message, response);
    else refuse(message, response, refusal);
  });
}

/**
 * After DNS rebinding a browser sends the page's own name in `Host`. It marks requests of another origin's page with `Origin`,
 * or at least with `Sec-Fetch-Site` (images, links). Programs send neither, and a typed address has `none`. The port in `Host`
 * is not compared: the two marks catch pages on another port of loopback, and a tunnel to this machine begins at another port.
 * https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
function refusalOfWebPage(message: IncomingMessage, expects: Expects): string | undefined {
  const { host = "", origin, "sec-fetch-site": site = "none" } = message.headers;
  if (!isLoopback(host.toLowerCase().replace(/:\d*$/, "")))
    return "This port answers only as 127.0.0.1, [::1] or localhost: the Host header names another.";
  const ofPage = origin !== undefined || (site !== "none" && site !== "same-origin");
  if (ofPage && !expects(message)) return "This port does not answer web pages. Use a program, such as curl.";
  return undefined;
}

function refuse(message: IncomingMessage, response: ServerResponse, text: string): void {
  // The body is thrown away, and with it the connection.
  response.writeHead(403, { "Content-Type": "text/plain", Connection: "close" }).end(`${text}\n`);
  message.resume();
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
