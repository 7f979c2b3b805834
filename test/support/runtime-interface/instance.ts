/** One function instance as Lambda runs it: AWS's own Runtime Interface Client, started in the bundle's directory. */
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { onLines } from "../../../local/lambda/lines.ts";
import type { ReportedError } from "../../../local/lambda/protocol.ts";
import type { LocalFunction } from "../../../local/stack/functions.ts";
import { type Reply, startRuntimeApi } from "./runtime-api.ts";

/** The instance is gone; with what it told Lambda if it did not even start. */
export interface Lost {
  readonly kind: "lost";
  readonly exitCode: number | null;
  readonly initError?: ReportedError;
}

export interface RuntimeInstance {
  readonly pid: number;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** Resolves when it has started, if it can. */
  readonly ready: Promise<unknown>;
  /** One at a time. Time is up after the function's time-out unless told. */
  invoke(event: unknown, remainingMs?: number): Promise<Reply | Lost>;
  /** What it wrote, line by line. */
  lines(): readonly string[];
  kill(): Promise<void>;
}

export interface RuntimeInstanceOptions {
  readonly definition: Pick<LocalFunction, "arn" | "codeDir" | "handler" | "memoryMb" | "timeoutSeconds">;
  /** Exactly this, and where the code and the Runtime API are. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Whether it stands still between invocations, as on Lambda: what it left undone is then done in the next one, and
   * shows.
   * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
   */
  readonly freezes: boolean;
}

/**
 * `LAMBDA_RIC` is the folder into which it was installed; it is built there from C++, so it is no dependency.
 * @throws with what to do when it is not there.
 */
export function runtimeClient(): string {
  const folder = process.env.LAMBDA_RIC;
  const file = resolve(folder ?? "", "node_modules/aws-lambda-ric/index.mjs");
  if (folder && existsSync(file)) return file;
  throw new Error(
    `${folder ? `LAMBDA_RIC has no ${file}` : "LAMBDA_RIC is not set"}: run ` +
      "npm install --prefix .cache/ric aws-lambda-ric@4.0.2 (with cmake, g++, make, autoconf, automake, libtool and curl's headers), and set LAMBDA_RIC=.cache/ric",
  );
}

export async function startRuntimeInstance(options: RuntimeInstanceOptions): Promise<RuntimeInstance> {
  const { definition, environment, freezes } = options;
  const { arn, codeDir, handler, memoryMb, timeoutSeconds } = definition;
  const api = await startRuntimeApi();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...heapFlags(memoryMb), runtimeClient(), handler], {
    cwd: codeDir,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment, LAMBDA_TASK_ROOT: codeDir, AWS_LAMBDA_RUNTIME_API: api.address },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) onLines(stream, (line) => lines.push(line));
  let initError: ReportedError | undefined;
  void api.initFailed.then((error) => {
    initError = error;
  });
  const gone = new Promise<Lost>((done) => {
    child.once("error", (error) => {
      lines.push(String(error));
      done({ kind: "lost", exitCode: null });
    });
    // Not "exit": what it wrote last is still to be read then.
    child.once("close", (exitCode) => done({ kind: "lost", exitCode, ...(initError && { initError }) }));
  });

  return {
    pid: child.pid ?? 0,
    startedAt,
    ready: api.ready,
    lines: () => lines,
    async invoke(event, remainingMs = timeoutSeconds * 1_000) {
      if (freezes) child.kill("SIGCONT");
      const reply = api.invoke({
        requestId: randomUUID(),
        event,
        deadline: Date.now() + remainingMs,
        functionArn: arn,
        // https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
        traceId: `Root=1-${randomBytes(4).toString("hex")}-${randomBytes(12).toString("hex")};Sampled=0`,
      });
      const outcome = await Promise.race([reply, gone]);
      if (freezes) child.kill("SIGSTOP");
      return outcome;
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
      await api.close();
    },
  };
}

/** As the start script in AWS's Node images sets them: a tenth of the memory for young objects, the rest for old. */
function heapFlags(memoryMb: number): string[] {
  const young = Math.floor(memoryMb / 10);
  return [
    "--expose-gc",
    `--max-semi-space-size=${Math.floor(young / 2)}`,
    `--max-old-space-size=${memoryMb - young}`,
  ];
}
