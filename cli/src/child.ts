/** The command of `exec`: its signals, and its exit code as a shell has it. */
import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { cannotRun } from "./find-command.ts";
import { ignoringSame } from "./ignored-signals.ts";
import { stdioOfChild } from "./inherited-descriptors.ts";
import { exitCodeOfSignal, forwardedSignals, onSignals } from "./interruption.ts";

export async function runCommand(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const [command = "", ...args] = ignoringSame(words);
  const child = spawn(command, args, { env: environment, stdio: stdioOfChild() });
  const release = onSignals(forwardedSignals, (signal) => {
    if (!(typed.has(signal) && sharesTerminal())) child.kill(signal);
  });
  try {
    return await new Promise<number>((done, fail) => {
      child.once("error", ({ code }: NodeJS.ErrnoException) => fail(cannotRun(command, code)));
      child.once("exit", (code, signal) => done(signal ? exitCodeOfSignal(signal) : (code ?? 0)));
    });
  } finally {
    release();
  }
}

/**
 * Ctrl-C, Ctrl-\ and another window size. A terminal gives these to all processes in its foreground, so to the command as
 * well, and many take a second Ctrl-C as "at once, without cleaning up".
 */
const typed: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/** Whether there is a terminal that these can come from, wherever stdin and the others lead: the command is in its group. */
function sharesTerminal(): boolean {
  // On Windows nothing but the console sends them.
  if (process.platform === "win32") return true;
  try {
    closeSync(openSync("/dev/tty", constants.O_RDONLY | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}
