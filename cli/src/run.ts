/** From the command line to the exit code. */
import { parseCommandLine } from "./command-line.ts";
import { account } from "./commands/account.ts";
import { allowClient } from "./commands/allow-client.ts";
import { consoleCommand } from "./commands/console.ts";
import { doctor } from "./commands/doctor.ts";
import { exec } from "./commands/exec.ts";
import { freeze, unfreeze } from "./commands/freeze.ts";
import { get } from "./commands/get.ts";
import { commandHelp, generalHelp } from "./commands/help.ts";
import { leases } from "./commands/leases.ts";
import { localEnv } from "./commands/local-env.ts";
import { logout } from "./commands/logout.ts";
import { proxy } from "./commands/proxy.ts";
import { revoke } from "./commands/revoke.ts";
import { scopes, whoami } from "./commands/scopes.ts";
import { whose } from "./commands/whose.ts";
import { exitCodes } from "./exit-codes.ts";
import { failureOf, noteFailure } from "./failure.ts";
import type { OptionValues } from "./options.ts";
import { withStackEndpoint } from "./stack-endpoint.ts";
import type { CommandName } from "./synopses.ts";
import { type Terminal, terminal } from "./terminal.ts";
import { ownVersion } from "./version.ts";

type Command = (
  terminal: Terminal,
  values: OptionValues,
  operands: readonly string[],
  given: Readonly<Record<string, string>>,
) => Promise<number>;

const commands: Readonly<Record<CommandName, Command>> = {
  get,
  exec,
  proxy,
  logout,
  scopes,
  whoami,
  doctor,
  "local-env": localEnv,
  leases,
  account,
  whose,
  revoke,
  "allow-client": allowClient,
  freeze,
  unfreeze,
  console: consoleCommand,
  // Loaded when they are asked for, with all that only they need.
  ask: async (...words) => (await import("./commands/ask.ts")).ask(...words),
  status: async (io, values) => (await import("./commands/status.ts")).status(io, values),
};

export async function run(args: readonly string[]): Promise<number> {
  const io = terminal();
  try {
    return await exitCodeOf(io, args);
  } catch (error) {
    const failure = failureOf(error);
    noteFailure(io, { json: wantsJson(args) }, failure);
    if (isForEval(args)) io.print("false\n");
    return failure.exitCode;
  }
}

/** Also of a command line that cannot be read. */
export const wantsJson = (args: readonly string[]): boolean => ownWords(args).includes("--json");

/** A shell that evaluates no word at all succeeds, and a script goes on without the variables. */
function isForEval(args: readonly string[]): boolean {
  const [command] = args;
  if (wantsJson(args)) return false;
  return command === "local-env" || (command === "get" && ownWords(args).includes("--env"));
}

/** Without those of the command of `exec`. */
const ownWords = (args: readonly string[]) =>
  args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);

async function exitCodeOf(io: Terminal, args: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(args);
  if (parsed.kind === "run") {
    const { command, operands, given } = parsed;
    return await commands[command](io, await withStackEndpoint(command, parsed.values), operands, given);
  }
  if (parsed.kind === "version") {
    io.print(`looker-token ${ownVersion()}\n`);
    return exitCodes.ok;
  }
  io.print(parsed.command ? commandHelp(parsed.command, io.paint) : generalHelp(io.paint));
  return exitCodes.ok;
}
