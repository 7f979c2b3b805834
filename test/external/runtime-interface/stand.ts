/** The local broker's engines, and the template's functions in front of them under AWS's Runtime Interface Client. */
import { vi } from "vitest";
import type { AwsCall } from "../../../local/aws/call.ts";
import type { RunningBroker } from "../../../local/broker.ts";
import type { LocalFunction } from "../../../local/stack/functions.ts";
import { leaksIn, type Stand, startStand } from "../../support/broker-stand.ts";
import { definitionOf } from "../../support/runtime-interface/event.ts";
import {
  type Lost,
  type RuntimeInstance,
  runtimeClient,
  startRuntimeInstance,
} from "../../support/runtime-interface/instance.ts";
import type { Reply } from "../../support/runtime-interface/runtime-api.ts";

export interface FunctionStand extends Stand {
  readonly definition: LocalFunction;
  /** Of one instance of this function: what it called, in order. */
  calls(): string[];
  /** All is well again; what a fault kept without an answer is forgotten. */
  endFaults(): void;
  /** With the template's environment, unless changed. It is frozen between invocations. */
  start(change?: (environment: Record<string, string>) => void): Promise<RuntimeInstance>;
}

export async function startFunctionStand(functionId: string): Promise<FunctionStand> {
  // Before the broker is started for nothing.
  runtimeClient();
  const stand = await startStand();
  const { broker } = stand;
  const definition = definitionOf(broker, functionId);
  const started: RuntimeInstance[] = [];
  return {
    ...stand,
    definition,
    calls: () => callsOf(broker, definition).map(({ service, operation }) => `${service}:${operation}`),
    endFaults() {
      broker.awsProxy.setFault(undefined);
      broker.awsProxy.clearCalls();
      broker.looker?.control.clearFaults();
    },
    async start(change) {
      const environment = { ...broker.environmentOf(functionId) };
      change?.(environment);
      const instance = await startRuntimeInstance({ definition, environment, freezes: true });
      started.push(instance);
      return instance;
    },
    async stop() {
      await Promise.all(started.map((instance) => instance.kill()));
      await stand.stop();
      const leaks = leaksIn(started.flatMap((instance) => instance.lines()).join("\n"), stand.secrets);
      if (leaks > 0) throw new Error(`${leaks} secrets are in what ${functionId} wrote.`);
    },
  };
}

const callsOf = ({ awsProxy }: RunningBroker, { roleArn }: LocalFunction): AwsCall[] =>
  awsProxy.calls().filter(({ principalArn }) => principalArn === roleArn);

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  readonly json: any;
}

/** What a function answered to API Gateway. Tokens in it must show nowhere else. */
export function answerOf(outcome: Reply | Lost, { secrets }: Stand): HttpAnswer {
  if (outcome.kind !== "answered") throw new Error(`No answer: ${JSON.stringify(outcome)}`);
  const { statusCode, headers, body } = outcome.payload as {
    statusCode: number;
    headers: Record<string, string>;
    body: string;
  };
  const json = JSON.parse(body);
  if (typeof json.access_token === "string") secrets.add(json.access_token);
  return { status: statusCode, headers, json };
}

/** `[200]`, or `[503, "busy"]`: what a test says of an answer. */
export const said = ({ status, json }: HttpAnswer): unknown[] =>
  json.code === undefined ? [status] : [status, json.code];

/**
 * That nothing is under way any more. The instance stands still: what it had left behind would stay open for ever.
 */
export async function nothingLeftBehind({ broker, definition }: FunctionStand): Promise<void> {
  await vi.waitFor(() => {
    const open = callsOf(broker, definition).filter(({ status }) => status === 0);
    const atLooker = broker.looker?.control.inFlight() ?? [];
    if (open.length + atLooker.length > 0) throw new Error(JSON.stringify({ open, atLooker }));
  });
}

/** The instance's audit lines, oldest first. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export const auditOf = (instance: RuntimeInstance): any[] =>
  instance
    .lines()
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "audit");
