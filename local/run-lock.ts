/**
 * `.local/broker.lock`: one run at a time keeps its files and its synthesized stack in `.local`. The file holds the pid of the
 * run. A run that was killed leaves it there; the next one finds that there is no such process, and takes its place.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Returns what gives the lock back. @throws when another run has it, with what to do */
export function takeRunLock(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  rmSync(own, { force: true });
  writeFileSync(own, `${process.pid}\n`, { mode: 0o600, flag: "wx" });
  try {
    for (;;) {
      // By link, which fails where there is one, so that nobody sees a lock without its pid.
      if (succeeds("EEXIST", () => linkSync(own, file))) break;
      const holder = pidIn(file);
      if (holder !== undefined && isRunning(holder))
        throw new Error(
          `A broker is running here (pid ${holder}): stop it first. If that is another program, remove ${file}.`,
        );
      removeStale(file, holder);
    }
  } finally {
    rmSync(own, { force: true });
  }
  return () => {
    if (pidIn(file) === process.pid) rmSync(file, { force: true });
  };
}

/** By rename, so that of two that find the same stale lock neither removes what the other has put in its place meanwhile. */
function removeStale(file: string, holder: number | undefined): void {
  const aside = `${file}.${process.pid}.stale`;
  if (!succeeds("ENOENT", () => renameSync(file, aside))) return;
  const taken = pidIn(aside);
  if (taken !== holder) succeeds("EEXIST", () => linkSync(aside, file));
  rmSync(aside, { force: true });
}

/** Undefined where there is none, or no number in it. */
function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  // In a container each start may be given the same pid: this process has not taken the lock yet.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** False where it fails by `code`. */
function succeeds(code: string, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
    return false;
  }
}
