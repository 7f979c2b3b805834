/** How long a request waits for each dependency. */
import type { LogOutPorts } from "./end-tokens.ts";
import type { ClientSecrets, Remembering, TimeCall } from "./ports.ts";
import type { RotationPorts } from "./rotation-job.ts";

/** Milliseconds with at least one remote call under way. Absent without such a call. */
export interface Spent {
  dynamodb_ms?: number;
  kms_ms?: number;
  secretsmanager_ms?: number;
  looker_ms?: number;
}

type WatchedPorts = Pick<LogOutPorts, "table" | "looker"> &
  Partial<
    Pick<LogOutPorts, "sealer"> &
      Pick<RotationPorts, "users" | "pairs" | "versions"> & { readonly secrets: ClientSecrets }
  >;

export interface Timings {
  /** The same ports, watched. */
  of<Ports extends WatchedPorts>(ports: Ports): Ports;
  /** Up to now, with what is still under way: a request that is cut off shows what it waited for. */
  spent(): Spent;
}

export function startTimings(now: () => number): Timings {
  const watches = {
    dynamodb: stopwatch(now),
    kms: stopwatch(now),
    secretsmanager: stopwatch(now),
    looker: stopwatch(now),
  };
  return {
    of: (ports) => ({
      ...ports,
      table: watched(ports.table, watches.dynamodb),
      ...(ports.sealer && { sealer: watchedBelow(ports.sealer, watches.kms) }),
      looker: watched(ports.looker, watches.looker),
      ...(ports.secrets && { secrets: watchedBelow(ports.secrets, watches.secretsmanager) }),
      ...(ports.users && { users: watched(ports.users, watches.looker) }),
      ...(ports.pairs && { pairs: watched(ports.pairs, watches.looker) }),
      ...(ports.versions && { versions: watched(ports.versions, watches.secretsmanager) }),
    }),
    spent: () =>
      Object.fromEntries(
        Object.entries(watches).flatMap(([name, { elapsed }]) => {
          const milliseconds = elapsed();
          return milliseconds === undefined ? [] : [[`${name}_ms`, milliseconds]];
        }),
      ),
  };
}

interface Stopwatch {
  readonly time: TimeCall;
  /** Undefined if nothing was ever timed. */
  elapsed(): number | undefined;
}

/** Calls that overlap count once: the sum is never more than the request's own time. */
function stopwatch(now: () => number): Stopwatch {
  let total: number | undefined;
  let underWay = 0;
  let since = 0;
  return {
    async time(work) {
      total ??= 0;
      if (underWay++ === 0) since = now();
      try {
        return await work();
      } finally {
        if (--underWay === 0) total += now() - since;
      }
    },
    elapsed: () => (underWay > 0 ? (total ?? 0) + now() - since : total),
  };
}

/** A port with a cache is watched below the cache: a cached answer costs no time of the dependency. */
function watchedBelow<Port extends object & Remembering<Port>>(port: Port, watch: Stopwatch): Port {
  return port.timedBy?.(watch.time) ?? watched(port, watch);
}

/**
 * A port's methods answer a promise, or pages that come one by one; a member that is no method is a part with methods of its
 * own, or a number.
 */
function watched<Port extends object>(port: Port, watch: Stopwatch): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member === "function")
        return (...parameters: unknown[]) => {
          const answer: unknown = Reflect.apply(member, target, parameters);
          return isPaged(answer) ? timedPages(answer, watch) : watch.time(async () => await answer);
        };
      return isObject(member) ? watched(member, watch) : member;
    },
  });
}

const isObject = (member: unknown): member is object => Object(member) === member;

const isPaged = (answer: unknown): answer is AsyncIterable<unknown> => Symbol.asyncIterator in Object(answer);

async function* timedPages(pages: AsyncIterable<unknown>, watch: Stopwatch): AsyncGenerator<unknown> {
  const iterator = pages[Symbol.asyncIterator]();
  for (;;) {
    const page = await watch.time(() => iterator.next());
    if (page.done) return;
    yield page.value;
  }
}
