/** Whether a command can be run, before anything is done for it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UsageError } from "./usage-error.ts";

/**
 * Looks as execvp does: https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html. What it lets pass may still
 * not run, such as a script without its interpreter.
 *
 * @throws {UsageError} as {@link cannotRun}
 */
export function checkCommand(command: string, { PATH }: NodeJS.ProcessEnv): void {
  // Windows looks for more names and in more places; without a PATH the system has its own.
  if (process.platform === "win32" || (PATH === undefined && !command.includes("/"))) return;
  const files = command.includes("/")
    ? [command]
    : (PATH ?? "").split(delimiter).map((directory) => join(directory, command));
  const failures = files.map(failureOf);
  if (failures.includes(undefined)) return;
  throw cannotRun(command, failures.includes("EACCES") ? "EACCES" : "ENOENT");
}

function failureOf(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? undefined : "EACCES";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Exit codes as `env` has them: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/env.html */
export function cannotRun(command: string, code: string | undefined): UsageError {
  return code === "ENOENT"
    ? new UsageError(`The command ${command} was not found.`, 127)
    : new UsageError(`The command ${command} cannot be run (${code}).`, 126);
}
