/** ministack (https://pypi.org/project/ministack): CloudFormation, API Gateway, Lambda, DynamoDB and more in one process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { listen } from "../../../local/loopback.ts";
import type { AwsLocation } from "../../../local/stack/location.ts";
import type { Credentials } from "./botocore.ts";
import { tool } from "./tools.ts";

export interface Engine {
  readonly url: string;
  /** Of the account's root user. */
  readonly root: Credentials;
  /** The engine's output so far. */
  log(): string;
  close(): Promise<void>;
}

/** A start takes about a second, but longer on a busy machine. */
const startsWithinMs = 60_000;
/** The engine ends the processes of its functions first. */
const stopsWithinMs = 10_000;

/** `workDir`: for the code of its functions. */
export async function startEngine(workDir: string, { region, accountId }: AwsLocation): Promise<Engine> {
  const root = { accessKeyId: "AKIAFOREIGNENGINEROO", secretAccessKey: "the-secret-key-of-the-root-user" };
  const port = await freePort();
  const engine = spawn(tool("ministack"), {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: workDir,
    env: {
      // The functions run under the Node of this process.
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: workDir,
      TMPDIR: workDir,
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: "127.0.0.1",
      MINISTACK_ACCOUNT_ID: accountId,
      MINISTACK_REGION: region,
      // Signatures and policies count.
      AUTH: "true",
      AWS_ACCESS_KEY_ID: root.accessKeyId,
      AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  const exited = once(engine, "exit");
  const kill = () => void engine.kill("SIGKILL");
  process.once("exit", kill);
  let log = "";
  const close = async () => {
    engine.kill("SIGTERM");
    const timer = setTimeout(kill, stopsWithinMs);
    await exited;
    clearTimeout(timer);
    process.off("exit", kill);
  };
  const ready = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, startsWithinMs, false);
    for (const stream of [engine.stdout, engine.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (log.includes(`Running on http://127.0.0.1:${port} `)) resolve(true);
      });
    engine.once("exit", () => resolve(false));
    engine.once("close", () => clearTimeout(timer));
  });
  if (!ready) {
    await close();
    throw new Error(`ministack does not start: ${log.slice(-4_096)}`);
  }
  return { url: `http://127.0.0.1:${port}`, root, log: () => log, close };
}

/** The engine must be told a number. */
async function freePort(): Promise<number> {
  const server = await listen(createServer());
  await server.close();
  return Number(new URL(server.url).port);
}
