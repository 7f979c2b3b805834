/**
 * Bundles that are measured beside each other under the Runtime Interface Client. They take turns, so that whatever
 * else the machine does meets all of them.
 */
import {
  type RuntimeInstance,
  type RuntimeInstanceOptions,
  startRuntimeInstance,
} from "../test/support/runtime-interface/instance.ts";
import { usageOf } from "./process-usage.ts";
import { takingTurns } from "./turns.ts";

export type Subject = Pick<RuntimeInstanceOptions, "definition" | "environment">;

/** Of each, one after the other with a process of its own, and in milliseconds. */
export interface ColdStarts {
  /** From the start of the process to the first answer. */
  readonly ms: number[];
  /** Of it on a CPU until the runtime asks for its first event: Node, the runtime client, the bundle. */
  readonly initCpuMs: number[];
  /** Of it on a CPU, all in all. */
  readonly cpuMs: number[];
}

export interface WarmRequests {
  readonly ms: number[];
  /** On a CPU, for each on average. */
  readonly cpuMs: number;
}

export async function coldStarts(
  subjects: readonly Subject[],
  event: object,
  rounds: number,
): Promise<ColdStarts[]> {
  const measured = subjects.map((subject) => ({
    subject,
    ms: [] as number[],
    initCpuMs: [] as number[],
    cpuMs: [] as number[],
  }));
  await takingTurns(measured, rounds, async ({ subject, ms, initCpuMs, cpuMs }) => {
    const instance = await start(subject);
    await instance.ready;
    initCpuMs.push(usageOf(instance.pid).cpuMs);
    ms.push((await answeredAt(instance, event)) - instance.startedAt);
    cpuMs.push(usageOf(instance.pid).cpuMs);
    await instance.kill();
  });
  return measured;
}

/** Of one instance of each, after a third as many that are not counted: until then the code is being compiled. */
export async function warmRequests(
  subjects: readonly Subject[],
  event: object,
  rounds: number,
): Promise<WarmRequests[]> {
  const measured = await Promise.all(
    subjects.map(async (subject) => ({ instance: await start(subject), ms: [] as number[] })),
  );
  const ask = async ({ instance, ms }: (typeof measured)[number]) => {
    const askedAt = performance.now();
    ms.push((await answeredAt(instance, event)) - askedAt);
  };
  await takingTurns(measured, Math.ceil(rounds / 3), ask);
  for (const { ms } of measured) ms.length = 0;
  const before = measured.map(({ instance }) => usageOf(instance.pid).cpuMs);
  await takingTurns(measured, rounds, ask);
  return await Promise.all(
    measured.map(async ({ instance, ms }, index) => {
      const cpuMs = (usageOf(instance.pid).cpuMs - (before[index] ?? 0)) / rounds;
      await instance.kill();
      return { ms, cpuMs };
    }),
  );
}

export const start = (subject: Subject): Promise<RuntimeInstance> =>
  startRuntimeInstance({ ...subject, freezes: false });

/** By `performance.now()`. */
export async function answeredAt(instance: RuntimeInstance, event: object): Promise<number> {
  const outcome = await instance.invoke(event);
  if (outcome.kind !== "answered" || (outcome.payload as { statusCode: number }).statusCode !== 200)
    throw new Error(`Not answered with 200: ${JSON.stringify(outcome)}\n${instance.lines().join("\n")}`);
  return outcome.at;
}
