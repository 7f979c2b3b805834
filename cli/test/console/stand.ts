/** A console with a broker behind it that answers as the test says, and a browser's requests byte for byte. */
import { onTestFinished } from "vitest";
import { FakeBroker } from "../../../test/support/cli/fake-broker.ts";
import { brokerOf } from "../../src/broker.ts";
import { type RunningConsole, startConsole } from "../../src/console/server.ts";
import type { Terminal } from "../../src/terminal.ts";
import { type Received, type Sent, sendTo } from "../proxy/stand.ts";

export interface ConsoleStand {
  readonly broker: FakeBroker;
  readonly console: RunningConsole;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `/…/`, the beginning of each path. */
  readonly base: string;
  readonly key: string;
  send(path: string, options?: Sent): Promise<Received>;
  /** Opens the link, as the first browser. @returns its `Cookie` header. */
  enter(): Promise<string>;
  /** As the page asks, with the cookie. */
  ask(name: string, question: object, headers?: Sent["headers"]): Promise<Received>;
}

const nobodyWatches = { isWatched: false, endProgress() {} } as Terminal;

export async function startConsoleStand({ idleMs = 60_000 } = {}): Promise<ConsoleStand> {
  const broker = await FakeBroker.start();
  const credentials = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "example-secret" };
  const before = Object.keys(credentials).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, credentials);
  const options = { endpoint: broker.endpoint, region: "us-east-1" };
  const client = brokerOf(nobodyWatches, options, { may: "operate", scope: undefined });
  const running = await startConsole({ broker: client, port: 0, idleMs });
  onTestFinished(async () => {
    await running.close();
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
  const { origin, pathname: base, searchParams } = new URL(running.link);
  const key = searchParams.get("key") ?? "";
  const send = (path: string, sent: Sent = {}) => sendTo(running.port, path, sent);
  let cookie = "";
  return {
    ...{ broker, console: running, origin, base, key, send },
    async enter() {
      const { headers } = await send(`${base}?key=${key}`);
      [cookie = ""] = String(headers["set-cookie"]).split(";");
      return cookie;
    },
    ask: (name, question, headers = {}) =>
      send(`${base}${name}`, {
        method: "POST",
        headers: { cookie, origin, "content-type": "application/json", ...headers },
        body: JSON.stringify(question),
      }),
  };
}

/** The lines of an answer. */
export const linesOf = ({ text }: Received): { kind: string }[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
