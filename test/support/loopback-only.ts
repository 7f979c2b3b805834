/**
 * Keeps tests off the network: a connection beyond loopback fails at once, and says why. In force from the first import
 * on, once in a process, and never lifted: not between two suites that share the process either.
 */
import { Socket } from "node:net";

const refused: string[] = [];

/** Hosts that something tried to reach since the last time this was asked. */
export const takeRefusedHosts = (): string[] => refused.splice(0);

/** Every TCP and TLS client of Node, `fetch` included, comes through this one method. */
const connect = Socket.prototype.connect;
Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  const host = hostOf(args);
  if (host === undefined || isLoopback(host)) return Reflect.apply(connect, this, args);
  refused.push(host);
  const error = new Error(`tests may not connect to ${host}: loopback only (test/support/loopback-only.ts)`);
  // As a name that cannot be resolved: each client then meets the error where it waits for one.
  const lookup = (_name: string, _options: object, done: (error: Error) => void) =>
    process.nextTick(done, error);
  return Reflect.apply(connect, this, [{ host: "beyond.invalid", port: 1, lookup }]);
} as typeof connect;

/** Of connect(port, host), connect(options), or the array that net.connect makes of either; undefined for a pipe. */
function hostOf(args: readonly unknown[]): string | undefined {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first === "object" && first !== null) {
    const { path, host } = first as { path?: string; host?: string };
    return path ? undefined : (host ?? "localhost");
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return undefined;
  return typeof second === "string" ? second : "localhost";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(host);
}
