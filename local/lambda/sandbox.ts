/** What an instance runs in: a worker thread, or a child process that can be killed from outside. */
import { fork } from "node:child_process";
import type { Readable } from "node:stream";
import { Worker } from "node:worker_threads";
import type { FromInstance, ToInstance } from "./protocol.ts";

export interface Sandbox {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Of the child process, where it is one. */
  readonly pid?: number;
  post(message: ToInstance): void;
  /** At once, without a chance to clean up. Resolves when it is gone. */
  kill(): Promise<void>;
}

export interface SandboxOptions {
  environment: Record<string, string>;
  memoryMb: number;
  codeDir: string;
  onMessage(message: FromInstance): void;
  /** `how` in the words of Lambda's Runtime.ExitError: "exit status 1", "signal: killed". */
  onExit(how: string): void;
}

export type SandboxKind = "threads" | "processes";

/**
 * Each isolate's young generation would grow to 48 MB and hold up the old one's first collection, so that twenty instances took
 * 3.9 GB. With 8 MB an isolate keeps to 30 MB in all.
 */
const maxYoungGenerationSizeMb = 8;

const runtime = new URL("./runtime.mjs", import.meta.url);

export function launchSandbox(kind: SandboxKind, options: SandboxOptions): Sandbox {
  return kind === "threads" ? launchThread(options) : launchProcess(options);
}

function launchThread({ environment, memoryMb, onMessage, onExit }: SandboxOptions): Sandbox {
  const worker = new Worker(runtime, {
    env: environment,
    // Neither the flags nor the arguments of this process.
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb },
  });
  worker.on("message", onMessage);
  // What the runtime could not report itself, such as running out of memory; "exit" follows.
  worker.on("error", () => {});
  worker.on("exit", (code) => onExit(`exit status ${code}`));
  return {
    stdout: worker.stdout,
    stderr: worker.stderr,
    post: (message) => worker.postMessage(message),
    kill: async () => {
      await worker.terminate();
    },
  };
}

function launchProcess({ environment, memoryMb, codeDir, onMessage, onExit }: SandboxOptions): Sandbox {
  const child = fork(runtime, [], {
    env: environment,
    execArgv: [`--max-old-space-size=${memoryMb}`],
    cwd: codeDir,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  if (!child.stdout || !child.stderr) throw new Error("A child process without pipes.");
  child.on("message", (message) => onMessage(message as FromInstance));
  const gone = new Promise<void>((resolve) => {
    // "close" comes after "exit", when all output has been read.
    child.on("close", (code, signal) => {
      onExit(signal === null ? `exit status ${code}` : `signal: ${signal === "SIGKILL" ? "killed" : signal}`);
      resolve();
    });
    child.on("error", (error) => {
      if (child.pid === undefined) {
        onExit(error.message);
        resolve();
      }
    });
  });
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    // A channel that closed a moment ago is an exit, and reported as such.
    post: (message) => child.send(message, () => {}),
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
