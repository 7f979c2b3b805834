/**
 * Descriptors from 3 on that this process began with, such as a lock of `flock 9` or a socket of systemd. A command of `exec`
 * gets them too. Node has marked those up to 15 (and on, as long as there is no gap) to be closed in its children:
 * https://docs.libuv.org/en/v1.x/process.html#c.uv_disable_stdio_inheritance
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Linux's octal FD_CLOEXEC in `fdinfo`. */
const closeOnExec = 0o2000000;

interface Open {
  readonly descriptor: number;
  readonly target: string;
}

/** Only on Linux can they be told from Node's own: those are anonymous inodes, and pipes with both their ends here. */
function inheritedAtStart(): readonly number[] {
  const open = marked();
  const isOwn = ({ descriptor, target }: Open) =>
    target.startsWith("anon_inode:") ||
    (target.startsWith("pipe:") &&
      open.some((other) => other.descriptor !== descriptor && other.target === target));
  return open.filter((each) => !isOwn(each)).map(({ descriptor }) => descriptor);
}

function marked(): Open[] {
  try {
    return readdirSync("/proc/self/fd").flatMap((name) => {
      const descriptor = Number(name);
      const target = targetOf(descriptor);
      return descriptor < 3 || target === undefined ? [] : [{ descriptor, target }];
    });
  } catch {
    return [];
  }
}

/** Undefined: without a mark a child has it anyway. The list's own descriptor is closed by now. */
function targetOf(descriptor: number): string | undefined {
  try {
    const [, flags = "0"] =
      /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
    const isMarked = (Number.parseInt(flags, 8) & closeOnExec) !== 0;
    return isMarked ? readlinkSync(`/proc/self/fd/${descriptor}`) : undefined;
  } catch {
    return undefined;
  }
}

/** Looked up before all other modules are loaded: see main.ts. */
const inherited = inheritedAtStart();

/** For `spawn`: the standard ones and these, each under its own number. */
export const stdioOfChild = (): ("inherit" | "ignore" | number)[] =>
  Array.from({ length: Math.max(2, ...inherited) + 1 }, (_, descriptor) => {
    if (descriptor < 3) return "inherit";
    return inherited.includes(descriptor) ? descriptor : "ignore";
  });
