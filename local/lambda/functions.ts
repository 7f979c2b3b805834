/** All functions of the stack, each with its own instances. */
import type { SessionCredentials } from "../sigv4/session-credentials.ts";
import type { LocalFunction } from "../stack/functions.ts";
import type { InvokeResult } from "./invoke-result.ts";
import { type Pool, type PoolOptions, startPool } from "./pool.ts";

export interface FunctionsOptions
  extends Pick<PoolOptions, "endpoints" | "sandbox" | "maxInstances" | "throttle" | "clockSkewMs"> {
  functions: readonly LocalFunction[];
  credentialsOf(definition: LocalFunction): SessionCredentials;
  /** A line that an instance wrote. */
  onLog?: ((functionId: string, instanceNumber: number, line: string) => void) | undefined;
}

export interface RunningFunctions {
  /** `trace`: the tracing header of the request. */
  invoke(functionId: string, event: unknown, trace?: string): Promise<InvokeResult>;
  /** The environment of the function's instances, for an instance that is started elsewhere. */
  environmentOf(functionId: string): Readonly<Record<string, string>>;
  instances(functionId: string): ReturnType<Pool["instances"]>;
  /** At once, in the middle of a request too. */
  kill(functionId: string, instanceNumber: number): Promise<boolean>;
  /** The latest ten thousand lines of the instances, as `issue-token#1 {…}`. */
  logs(): string[];
  close(): Promise<void>;
}

export function startFunctions(options: FunctionsOptions): RunningFunctions {
  const { functions, credentialsOf, onLog, ...shared } = options;
  const lines: string[] = [];
  const pools = new Map(
    functions.map((definition) => [
      definition.id,
      startPool({
        ...shared,
        definition,
        credentials: credentialsOf(definition),
        onLog(instanceNumber, line) {
          if (lines.push(`${definition.id}#${instanceNumber} ${line}`) > 10_000) lines.shift();
          onLog?.(definition.id, instanceNumber, line);
        },
      }),
    ]),
  );
  const poolOf = (functionId: string): Pool => {
    const pool = pools.get(functionId);
    if (!pool) throw new Error(`The template has no function ${functionId}.`);
    return pool;
  };
  return {
    invoke: (functionId, event, trace) => poolOf(functionId).invoke(event, trace),
    environmentOf: (functionId) => poolOf(functionId).environment,
    instances: (functionId) => poolOf(functionId).instances(),
    kill: (functionId, instanceNumber) => poolOf(functionId).kill(instanceNumber),
    logs: () => [...lines],
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
