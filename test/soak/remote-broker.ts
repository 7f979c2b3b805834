/** The broker's process, seen from the load. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Replied, Requests, Started } from "./messages.ts";

export interface RemoteBroker extends Started {
  ask<Name extends keyof Requests>(
    name: Name,
    what: Requests[Name]["with"],
  ): Promise<Requests[Name]["gives"]>;
  stop(): Promise<void>;
}

export async function startRemoteBroker(): Promise<RemoteBroker> {
  const child: ChildProcess = fork(new URL("broker-process.ts", import.meta.url), { stdio: "inherit" });
  const [started] = (await once(child, "message")) as [Started];
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  child.on("message", (message) => {
    const { id, result, error } = message as Replied;
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(error));
  });
  child.on("exit", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`The broker's process ended with ${code}.`));
  });
  let last = 0;
  return {
    ...started,
    ask: (name, what) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve: (value) => resolve(value as never), reject });
        child.send({ id, name, with: what });
      }),
    async stop() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
