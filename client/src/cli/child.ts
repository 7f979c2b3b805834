/** The command of `exec`: its signals, and its exit code as a shell has it. */
import { spawn } from "node:child_process";
import { exitCodeOfSignal, onStop } from "./interruption.ts";
import { UsageError } from "./usage-error.ts";

export async function runCommand(
  [command = "", ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(command, args, { env: environment, stdio: "inherit" });
  const release = onStop((signal) => {
    // A terminal gives Ctrl-C to the command as well; many take a second one as "at once, without cleaning up".
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
  try {
    return await new Promise<number>((done, fail) => {
      child.once("error", (error: NodeJS.ErrnoException) => fail(notBegun(command, error)));
      child.once("exit", (code, signal) => done(signal ? exitCodeOfSignal(signal) : (code ?? 0)));
    });
  } finally {
    release();
  }
}

/** Exit codes as `env` has them: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/env.html */
function notBegun(command: string, { code }: NodeJS.ErrnoException): UsageError {
  return code === "ENOENT"
    ? new UsageError(`The command ${command} was not found.`, 127)
    : new UsageError(`The command ${command} cannot be run (${code}).`, 126);
}
