/** Whether a command can be run, before anything is done for it. */
import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UsageError } from "./usage-error.ts";

/**
 * Looks as execvp does: https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html. Also at the interpreter of a
 * script, because its absence would be told as that of the script.
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
  const found = files[failures.indexOf(undefined)];
  if (found === undefined) throw cannotRun(command, failures.includes("EACCES") ? "EACCES" : "ENOENT");
  checkInterpreter(command, found);
}

/** Linux reads as much: https://man7.org/linux/man-pages/man2/execve.2.html */
const shebangBytes = 255;

function checkInterpreter(command: string, file: string): void {
  const [, interpreter, rest = ""] = /^#![ \t]*([^ \t\n]+)([^\n]*)\n/.exec(beginningOf(file)) ?? [];
  if (interpreter === undefined) return;
  const endsInReturn = `${interpreter}${rest}`.endsWith("\r");
  // The carriage return becomes a part of the interpreter's name, of its option, or of a name for env.
  if (endsInReturn)
    throw new UsageError(
      `The command ${command} cannot be run: its first line ends in a carriage return (CRLF). Save it with LF line ends.`,
      { exitCode: 127 },
    );
  if (!existsSync(interpreter))
    throw new UsageError(
      `The command ${command} cannot be run: its interpreter ${interpreter} was not found.`,
      { exitCode: 127 },
    );
}

/** "" where it may be run but not read. */
function beginningOf(file: string): string {
  try {
    const descriptor = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(shebangBytes);
      return `${bytes.toString("utf8", 0, readSync(descriptor, bytes))}\n`;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
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
    ? new UsageError(`The command ${command} was not found.`, { exitCode: 127 })
    : new UsageError(`The command ${command} cannot be run (${code}).`, { exitCode: 126 });
}
