/** One function instance: started once, then one request at a time, until it is killed or dies. */
import { onLines } from "./lines.ts";
import {
  type FromInstance,
  type Invocation,
  initRequestId,
  outputEnd,
  type ReportedError,
} from "./protocol.ts";
import { launch, type SandboxKind } from "./sandbox.ts";

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
  kind: SandboxKind;
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
  /** What the pool waits for: the start, or a request. */
  let waiting:
    | { requestId: string; reply?: FromInstance; marks: number; settle(reply: FromInstance): void }
    | undefined;
  const step = () => {
    if (!waiting?.reply || waiting.marks < 2) return;
    const { reply, settle } = waiting;
    waiting = undefined;
    settle(reply);
  };
  const expect = (requestId: string) =>
    new Promise<FromInstance>((settle) => {
      waiting = { requestId, marks: 0, settle };
    });

  const sandbox = launch(options.kind, {
    ...options,
    onMessage(reply) {
      if (waiting) waiting.reply ??= reply;
      step();
    },
    onExit(how) {
      alive = false;
      options.onGone();
      if (!waiting) return;
      const { requestId } = waiting;
      const errorMessage = `RequestId: ${requestId} Error: Runtime exited with error: ${how}`;
      waiting.reply ??= { kind: "crashed", error: { errorType: "Runtime.ExitError", errorMessage } };
      waiting.marks = 2;
      step();
    },
  });
  for (const stream of [sandbox.stdout, sandbox.stderr])
    onLines(stream, (line) => {
      if (!waiting || line !== outputEnd(waiting.requestId)) return onLog(line);
      waiting.marks++;
      step();
    });

  /** Kills an instance that does not end by itself, and says so as Lambda does. */
  const within = async (
    seconds: number,
    requestId: string,
    reply: Promise<FromInstance>,
  ): Promise<FromInstance> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<FromInstance>((resolve) => {
      timer = setTimeout(() => {
        const problem = `Task timed out after ${seconds.toFixed(2)} seconds`;
        waiting = undefined;
        onLog(`${new Date().toISOString()} ${requestId} ${problem}`);
        const error = {
          errorType: "Sandbox.Timedout",
          errorMessage: `RequestId: ${requestId} Error: ${problem}`,
        };
        void sandbox.kill().then(() => resolve({ kind: "crashed", error }));
      }, seconds * 1000);
    });
    try {
      return await Promise.race([reply, late]);
    } finally {
      clearTimeout(timer);
    }
  };

  /** Waits until it is really gone: one that reported its end first would still pass for alive. */
  const lose = async (reply: FromInstance): Promise<Outcome> => {
    await sandbox.kill();
    return { kind: "lost", error: errorOf(reply) };
  };

  const start = within(initSeconds, initRequestId, expect(initRequestId));
  return {
    number,
    ...(sandbox.pid === undefined ? {} : { pid: sandbox.pid }),
    get alive() {
      return alive;
    },
    async invoke(invocation) {
      const { requestId } = invocation;
      const started = await start;
      if (started.kind !== "ready") return lose(started);
      if (!alive)
        return { kind: "lost", error: { errorType: "Runtime.ExitError", errorMessage: "Runtime exited" } };
      const reply = expect(requestId);
      sandbox.post({ kind: "invoke", ...invocation, deadline: Date.now() + timeoutSeconds * 1000 });
      const ended = await within(timeoutSeconds, requestId, reply);
      if (ended.kind === "answered") return { kind: "answered", json: ended.json };
      if (ended.kind === "failed") return { kind: "failed", error: ended.error };
      return lose(ended);
    },
    kill: () => sandbox.kill(),
  };
}

function errorOf(reply: FromInstance): ReportedError {
  return "error" in reply ? reply.error : { errorType: "Runtime.Unknown", errorMessage: reply.kind };
}
