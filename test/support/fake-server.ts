/** An HTTP server in this process that answers as a test says, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** "drop" ends the connection without an answer. */
export type Answering = (asked: Asked) => Reply | "drop" | Promise<Reply | "drop">;

export class FakeServer {
  readonly asked: Asked[] = [];
  /** How many callers went away without their answer. */
  gone = 0;
  answering: Answering;
  readonly #server: Server;

  private constructor(answering: Answering) {
    this.answering = answering;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      response.on("close", () => {
        if (!response.writableFinished) this.gone++;
      });
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", async () => {
        const { method = "", url: path = "", headers } = request;
        const asked = { method, path, headers, text: Buffer.concat(chunks).toString() };
        this.asked.push(asked);
        const reply = await this.answering(asked);
        if (reply === "drop") return response.destroy();
        const { body = "" } = reply;
        response.writeHead(reply.status, {
          "content-type": typeof body === "string" ? "text/html" : "application/json",
          ...reply.headers,
        });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
      });
    });
  }

  static async start(answering: Answering): Promise<FakeServer> {
    const fake = new FakeServer(answering);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
