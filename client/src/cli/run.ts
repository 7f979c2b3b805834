/** From the command line to the exit code. */
import { parseCommandLine } from "./command-line.ts";
import { exec } from "./exec.ts";
import { exitCodes } from "./exit-codes.ts";
import { failureOf, noteFailure } from "./failure.ts";
import { freeze, unfreeze } from "./freeze.ts";
import { get } from "./get.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { leases } from "./leases.ts";
import { logout } from "./logout.ts";
import type { Values } from "./options.ts";
import { revoke } from "./revoke.ts";
import { scopes, whoami } from "./scopes.ts";
import type { CommandName } from "./synopses.ts";
import { type Terminal, terminal } from "./terminal.ts";

type Command = (terminal: Terminal, values: Values, operands: readonly string[]) => Promise<number>;

const commands: Readonly<Record<CommandName, Command>> = {
  get,
  exec,
  logout,
  scopes,
  whoami,
  leases,
  revoke,
  freeze,
  unfreeze,
};

export async function run(args: readonly string[]): Promise<number> {
  const io = terminal();
  try {
    const parsed = parseCommandLine(args);
    if (parsed.kind === "run") return await commands[parsed.command](io, parsed.values, parsed.operands);
    io.print(parsed.command ? commandHelp(parsed.command, io.paint) : generalHelp(io.paint));
    return exitCodes.ok;
  } catch (error) {
    const failure = failureOf(error);
    const own = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
    noteFailure(io, { json: own.includes("--json") }, failure);
    return failure.exitCode;
  }
}
