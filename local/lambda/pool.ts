/**
 * The instances of one function, scaled as Lambda scales them: each serves one request at a time, a new one is
 * started whenever none is free, and beyond the limit requests wait or are throttled.
 */
import { randomUUID } from "node:crypto";
import { url as inspectorUrl } from "node:inspector";
import type { SessionCredentials } from "../sigv4/session-credentials.ts";
import type { LocalFunction } from "../stack/functions.ts";
import { continueTrace } from "../trace-header.ts";
import { type AwsEndpoints, instanceEnvironment } from "./environment.ts";
import { IdleStack } from "./idle-stack.ts";
import { type Instance, type Outcome, startInstance } from "./instance.ts";
import type { InvokeResult } from "./invoke-result.ts";
import type { SandboxKind } from "./sandbox.ts";

export interface PoolOptions {
  definition: LocalFunction;
  credentials: SessionCredentials;
  endpoints: AwsEndpoints;
  sandbox: SandboxKind;
  maxInstances: number;
  /** Excess requests are throttled instead of waiting. */
  throttle: boolean;
  /** How long a request may wait for an instance: API Gateway's 29 s. */
  queueSeconds?: number;
  initSeconds?: number;
  /** An instance that had no request for this long is ended, after twice as long at most. */
  idleSeconds?: number;
  /** A function may stand at a breakpoint, and is not killed there. By default: whether this process runs under `--inspect`. */
  debugged?: boolean;
  /** How far an instance's clock is off. */
  clockSkewMs?: ((instanceNumber: number) => number) | undefined;
  onLog(instanceNumber: number, line: string): void;
}

export interface Pool {
  /** `trace`: the tracing header of the request. Without it a new trace begins. */
  invoke(event: unknown, trace?: string): Promise<InvokeResult>;
  /** For instances that are started elsewhere. */
  readonly environment: Readonly<Record<string, string>>;
  /** The living instances by number. */
  instances(): { number: number; pid?: number; busy: boolean }[];
  /** Kills one at once, whatever it is doing. False if there is none of that number. */
  kill(instanceNumber: number): Promise<boolean>;
  close(): Promise<void>;
}

const oneDay = 86_400;

export function startPool(options: PoolOptions): Pool {
  const { definition, credentials, endpoints, maxInstances, throttle } = options;
  const { debugged = inspectorUrl() !== undefined } = options;
  const all = new Set<Instance>();
  const idle = new IdleStack<Instance>();
  const queue: ((instance: Instance | undefined) => void)[] = [];
  let started = 0;
  let closed = false;

  // Lambda does not say how long it keeps an instance. Here each keeps 30 MB, and a local run may stand for days.
  const idleSeconds = debugged ? oneDay : (options.idleSeconds ?? 300);
  const retiring = setInterval(() => {
    for (const instance of idle.takeUnneeded()) void instance.kill();
  }, idleSeconds * 1000);

  const start = (): Instance => {
    const number = ++started;
    const instance = startInstance({
      ...definition,
      number,
      sandbox: options.sandbox,
      environment: {
        ...instanceEnvironment(definition, credentials, endpoints, number),
        ...(options.clockSkewMs ? { LOCAL_CLOCK_SKEW_MS: String(options.clockSkewMs(number)) } : {}),
      },
      initSeconds: options.initSeconds ?? 10,
      ...(debugged ? { initSeconds: oneDay, timeoutSeconds: oneDay } : {}),
      onLog: (line) => options.onLog(number, line),
      onGone: () => {
        all.delete(instance);
        idle.remove(instance);
        // A request that waits may have its place.
        if (!closed && queue.length > 0 && all.size < maxInstances) queue.shift()?.(start());
      },
    });
    all.add(instance);
    return instance;
  };

  const acquire = (): Instance | "throttled" | Promise<Instance | undefined> => {
    const warm = idle.pop();
    if (warm) return warm;
    if (all.size < maxInstances) return start();
    if (throttle) return "throttled";
    return new Promise((resolve) => {
      const take = (instance: Instance | undefined) => {
        clearTimeout(timer);
        resolve(instance);
      };
      const timer = setTimeout(
        () => {
          queue.splice(queue.indexOf(take), 1);
          resolve(undefined);
        },
        (options.queueSeconds ?? 29) * 1000,
      );
      queue.push(take);
    });
  };

  const release = (instance: Instance) => {
    if (!instance.alive || closed) return;
    const next = queue.shift();
    if (next) next(instance);
    else idle.push(instance);
  };

  return {
    environment: instanceEnvironment(definition, credentials, endpoints, 0),
    async invoke(event, trace = continueTrace(undefined, new Date())) {
      if (closed) return { kind: "timed_out" };
      const instance = await acquire();
      if (instance === "throttled") return { kind: "throttled" };
      if (instance === undefined) return { kind: "timed_out" };
      const outcome = await instance.invoke({
        requestId: randomUUID(),
        eventJson: JSON.stringify(event),
        functionArn: definition.arn,
        traceId: trace,
      });
      release(instance);
      return resultOf(outcome);
    },
    instances: () =>
      [...all].map((instance) => ({
        number: instance.number,
        ...(instance.pid === undefined ? {} : { pid: instance.pid }),
        busy: !idle.has(instance),
      })),
    async kill(instanceNumber) {
      const instance = [...all].find(({ number }) => number === instanceNumber);
      await instance?.kill();
      return instance !== undefined;
    },
    async close() {
      closed = true;
      clearInterval(retiring);
      for (const take of queue.splice(0)) take(undefined);
      await Promise.all([...all].map((instance) => instance.kill()));
    },
  };
}

function resultOf(outcome: Outcome): InvokeResult {
  if (outcome.kind !== "answered") return { kind: "function_error", payload: outcome.error };
  return { kind: "answer", payload: JSON.parse(outcome.json) };
}
