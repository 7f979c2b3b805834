/** An HTTP server in this process that answers as a test says, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { type Listening, listen } from "../../local/loopback.ts";

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
  #listening: Listening | undefined;

  private constructor(answering: Answering) {
    this.answering = answering;
  }

  static async start(answering: Answering): Promise<FakeServer> {
    const fake = new FakeServer(answering);
    fake.#listening = await listen(createServer((request, response) => fake.#serve(request, response)));
    return fake;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
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
  }

  get url(): string {
    return this.#listening?.url ?? "";
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }
}
