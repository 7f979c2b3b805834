/** A process of its own: a Looker over TLS that takes its time, behind a network that does too. Tells its parent where it is. */
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { certificate } from "../test/support/certificates.ts";

export interface LookerOverTls {
  /** PEM. */
  readonly authority: string;
  /** By the network's round trip, milliseconds. */
  readonly urls: Readonly<Record<string, string>>;
}

const [loginMs = 0, logoutMs = 0, ...roundTrips] = process.argv.slice(2).map(Number);

const authority = certificate({ names: ["The bench's own authority"] });
const looker = createHttps(
  certificate({ names: ["localhost"], issuer: authority.authority }),
  async (request, response) => {
    request.resume();
    await sleep(request.method === "POST" ? loginMs : logoutMs);
    if (request.method !== "POST") return void response.writeHead(204).end();
    response.end(JSON.stringify({ access_token: "a-token-of-the-bench", expires_in: 3_600 }));
  },
);

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};
const port = await listening(looker);

/** Passes bytes on after half a round trip; the first ones after one more, which TCP's own handshake takes. */
const slowed = (roundTripMs: number): Server =>
  createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const openedAt = performance.now();
    const pass = (from: Socket, to: Socket) => {
      const after = () => Math.max(roundTripMs / 2, openedAt + 1.5 * roundTripMs - performance.now());
      from.on("data", (bytes) => setTimeout(() => to.write(bytes), after()));
      from.on("close", () => setTimeout(() => to.destroy(), roundTripMs / 2));
      from.on("error", () => {});
    };
    pass(client, upstream);
    pass(upstream, client);
  });

const urls: Record<string, string> = {};
for (const roundTripMs of roundTrips)
  urls[roundTripMs] = `https://localhost:${roundTripMs === 0 ? port : await listening(slowed(roundTripMs))}`;
process.send?.({ authority: authority.cert, urls } satisfies LookerOverTls);
process.on("disconnect", () => process.exit());
