/** One function instance: started once, then one request at a time, until it is killed or dies. */
import { onLines } from "./lines.ts";
import { initRequestId } from "./output-end.mjs";
import type { FromInstance, Invocation, ReportedError } from "./protocol.ts";
import { launchSandbox, type SandboxKind } from "./sandbox.ts";
import { Turn } from "./turn.ts";

export type Outcome =
  | { kind: "answered"; json: string }
  /** The handler threw: the instance stays. */
  | { kind: "failed"; error: ReportedError }
  /** It could not start, died, was killed, or took too long: the instance is gone. */
  | { kind: "lost"; error: ReportedError };

export interface Instance {
  readonly number: number;
  readonly pid?: number;
  readonly alive: boolean;
  /** Waits for the start first. To be called again only after the answer. */
  invoke(invocation: Omit<Invocation, "deadline">): Promise<Outcome>;
  kill(): Promise<void>;
}

export interface InstanceOptions {
  number: number;
  sandbox: SandboxKind;
  environment: Record<string, string>;
  codeDir: string;
  memoryMb: number;
  timeoutSeconds: number;
  /** Lambda's limit for the start is 10 s. */
  initSeconds: number;
  onLog(line: string): void;
  onGone(): void;
}

export function startInstance(options: InstanceOptions): Instance {
  const { number, timeoutSeconds, initSeconds, onLog } = options;
  let alive = true;
  /** The start, or the request under way. */
  let turn: Turn | undefined;

  const sandbox = launchSandbox(options.sandbox, {
    ...options,
    onMessage: (message) => turn?.replied(message),
    onExit(how) {
      alive = false;
      options.onGone();
      turn?.exited(how);
    },
  });
  for (const stream of [sandbox.stdout, sandbox.stderr])
    onLines(stream, (line) => {
      if (!turn?.takesMark(line)) onLog(line);
    });

  /** Begins a turn. An instance that does not come to its end in time is killed, as Lambda does. */
  const take = async (requestId: string, seconds: number): Promise<FromInstance> => {
    const current = new Turn(requestId);
    turn = current;
    const timer = setTimeout(() => {
      const problem = `Task timed out after ${seconds.toFixed(2)} seconds`;
      turn = undefined;
      onLog(`${new Date().toISOString()} ${requestId} ${problem}`);
      void sandbox.kill().then(() => current.timedOut(problem));
    }, seconds * 1000);
    try {
      return await current.end;
    } finally {
      clearTimeout(timer);
      turn = undefined;
    }
  };

  /** Waits until it is really gone: one that reported its end first would still pass for alive. */
  const lose = async (error: ReportedError): Promise<Outcome> => {
    await sandbox.kill();
    return { kind: "lost", error };
  };

  const start = take(initRequestId, initSeconds);
  return {
    number,
    ...(sandbox.pid === undefined ? {} : { pid: sandbox.pid }),
    get alive() {
      return alive;
    },
    async invoke(invocation) {
      const started = await start;
      if (started.kind !== "ready") return lose(errorOf(started));
      if (!alive)
        return { kind: "lost", error: { errorType: "Runtime.ExitError", errorMessage: "Runtime exited" } };
      const ended = take(invocation.requestId, timeoutSeconds);
      sandbox.post({ kind: "invoke", ...invocation, deadline: Date.now() + timeoutSeconds * 1000 });
      const reply = await ended;
      if (reply.kind === "answered") return { kind: "answered", json: reply.json };
      if (reply.kind === "failed") return { kind: "failed", error: reply.error };
      return lose(errorOf(reply));
    },
    kill: () => sandbox.kill(),
  };
}

function errorOf(reply: FromInstance): ReportedError {
  return "error" in reply ? reply.error : { errorType: "Runtime.Unknown", errorMessage: reply.kind };
}
