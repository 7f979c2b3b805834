/**
 * The signals that were ignored when this process began, by `nohup` or by a shell's `trap "" INT`. Such a signal has to stay
 * ignored, here and in a command of `exec`.
 *
 * Node sets each of them back to its default before any program of ours begins (`ResetSignalHandlers` in Node's node.cc), so
 * this process cannot look it up. Two traces are left. bash, zsh and ksh put the name of the program that they start in `_`.
 * And a process passes its ignored signals on to its children: on Linux the list of a parent can be read.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";

/** Not QUIT or TERM: an interactive shell ignores these itself, and its children do not. */
const candidates = ["SIGHUP", "SIGINT"] as const;

const shells: ReadonlySet<string> = new Set(["sh", "dash", "bash", "zsh", "ksh", "mksh", "ash", "busybox"]);

function ignoredAtStart(): ReadonlySet<NodeJS.Signals> {
  const ofParent = ignoredByParent(process.ppid);
  return new Set(basename(process.env._ ?? "") === "nohup" ? ["SIGHUP", ...ofParent] : ofParent);
}

/** None where the process cannot be looked at. */
function ignoredByParent(pid: number): NodeJS.Signals[] {
  try {
    const [, digits = "0"] =
      /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    const bits = BigInt(`0x${digits}`);
    const ignores = (signal: NodeJS.Signals) => (bits & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
    // While `system` of the C library waits, its process ignores both of these, and the child does not.
    // https://pubs.opengroup.org/onlinepubs/9799919799/functions/system.html
    const mayWait =
      ignores("SIGINT") && ignores("SIGQUIT") && !shells.has(basename(readlinkSync(`/proc/${pid}/exe`)));
    return candidates.filter((signal) => ignores(signal) && !(signal === "SIGINT" && mayWait));
  } catch {
    return [];
  }
}

/** Looked up at once: when the parent has gone another process is in its place. */
export const ignoredSignals = ignoredAtStart();

/** Node cannot ignore a signal, but a listener that does nothing comes to the same. */
export function keepIgnoring(): void {
  for (const signal of ignoredSignals) process.on(signal, () => {});
}

/**
 * The words to start a command with. Node gives its children the default of every signal, and so a shell has to ignore
 * them again. It is left out where there are none: a shell drops variables whose names it could not have itself.
 */
export function ignoringSame(command: readonly string[]): readonly string[] {
  if (ignoredSignals.size === 0) return command;
  const names = [...ignoredSignals].map((signal) => signal.slice("SIG".length)).join(" ");
  return ["/bin/sh", "-c", `trap "" ${names}; exec "$@"`, "sh", ...command];
}
