/** A process of its own: a Looker for the proxy's measurements, over plain HTTP and over TLS. It tells its parent the URLs. */
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { certificate } from "../test/support/certificates.ts";

export interface ProxyLooker {
  /** PEM. */
  readonly authority: string;
  readonly urls: Readonly<Record<"http" | "https", string>>;
}

const chunk = Buffer.alloc(64 * 1024, "x");
const user = JSON.stringify({ id: "1", display_name: "Reports", role_ids: ["2"], group_ids: [] });

/** `GET /down/BYTES` answers with so many bytes. A body that is sent is counted. Everything else is a small answer. */
const answer: RequestListener = (request, response) => {
  const [, bytes] = /^\/down\/(\d+)$/.exec(request.url ?? "") ?? [];
  if (bytes !== undefined) {
    response.writeHead(200, { "Content-Length": bytes });
    const write = (left: number): void => {
      if (left <= 0) return void response.end();
      if (response.write(chunk.subarray(0, left))) write(left - chunk.length);
      else response.once("drain", () => write(left - chunk.length));
    };
    return write(Number(bytes));
  }
  request.resume().on("end", () => response.writeHead(200, { "Content-Type": "application/json" }).end(user));
};

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

const authority = certificate({ names: ["The bench's own authority"] });
const secured = createHttps(certificate({ names: ["localhost"], issuer: authority.authority }), answer);
const urls = {
  http: `http://127.0.0.1:${await listening(createServer(answer))}`,
  https: `https://localhost:${await listening(secured)}`,
};
process.send?.({ authority: authority.cert, urls } satisfies ProxyLooker);
process.on("disconnect", () => process.exit());
