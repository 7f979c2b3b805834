/** Clients by the hundred, which ask again as they are told, and callers by the dozen. */
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Caller, callerOf, type Stand } from "./broker-stand.ts";

// Client and gateway share a loop that a crowd keeps busy for seconds: a kept connection may be closed under a request.
http.globalAgent = new http.Agent({ keepAlive: false });

export interface Retried {
  /** The last one: not to be repeated, unless there was no time left. */
  readonly answer: Answer;
  /** What came before it. */
  readonly refused: readonly Answer[];
}

/**
 * All of them in the gateway within half a second, long before a cold instance has begun; not in one burst, as what a
 * listening socket's backlog (511) does not hold is reset.
 */
export async function crowd<T>(count: number, ask: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await sleep(Math.floor(index / 200) * 100);
      return await ask(index);
    }),
  );
}

/** A client as it should be: waits as long as Retry-After says, and asks again. */
export async function untilAnswered(
  ask: () => Promise<Answer>,
  { seconds = 40 }: { seconds?: number } = {},
): Promise<Retried> {
  const refused: Answer[] = [];
  const until = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    // 504 is API Gateway's own: on a slow machine a request may wait in vain for an instance.
    if (![429, 503, 504].includes(answer.status) || Date.now() > until) return { answer, refused };
    refused.push(answer);
    await sleep(Number(answer.headers["retry-after"] ?? 1) * 1_000);
  }
}

/**
 * A caller whose every request comes from the next of `count` unique ids: a role's successors all have its name, so the
 * scope's list allows each of them, and each is a caller of its own.
 */
export function manyCallers(stand: Stand, name: string, count: number): Caller {
  const caller = callerOf(stand, name);
  const [, session = ""] = caller.principal.caller.split(":");
  let next = 0;
  // The gateway reads the principal once for each request.
  Object.defineProperty(caller.principal, "caller", {
    enumerable: true,
    get: () =>
      `AROA${name.replaceAll("-", "").toUpperCase()}X${String(next++ % count).padStart(4, "0")}:${session}`,
  });
  return caller;
}

/** How long an answer took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const began = Date.now();
  return { result: await work(), ms: Date.now() - began };
}
