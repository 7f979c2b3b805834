/**
 * `.local/broker.lock`: one run at a time keeps its files and its synthesized stack in `.local`. The file holds the pid of
 * the run. A killed run leaves the file behind. The next run finds no such process and takes the lock over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Returns the release. @throws while another run has the lock */
export function takeRunLock(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  rmSync(own, { force: true });
  writeFileSync(own, `${process.pid}\n`, { mode: 0o600, flag: "wx" });
  try {
    for (;;) {
      // A link fails if the file exists, and the lock has its pid from the first moment.
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

/** By rename: two runs may find the same stale lock, and neither may remove the new lock of the other. */
function removeStale(file: string, holder: number | undefined): void {
  const aside = `${file}.${process.pid}.stale`;
  if (!succeeds("ENOENT", () => renameSync(file, aside))) return;
  const taken = pidIn(aside);
  if (taken !== holder) succeeds("EEXIST", () => linkSync(aside, file));
  rmSync(aside, { force: true });
}

/** Undefined if there is no file, or no number in it. */
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
  // A container may give each start the same pid. This process has not taken the lock yet.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means: running as another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** False if `act` fails with `code`. */
function succeeds(code: string, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
    return false;
  }
}
