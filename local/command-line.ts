/** Reads the command line of `npm start` and `npm run probe`. */
import { parseArgs } from "node:util";

type Options = Readonly<Record<string, { readonly type: "string" | "boolean" }>>;

export type ValuesOf<Known extends Options> = {
  readonly [Name in keyof Known]?: Known[Name]["type"] extends "boolean" ? boolean : string;
};

export type Parsed<Flags> =
  | { kind: "run"; flags: Flags }
  | { kind: "help"; text: string }
  /** One line that says what to do. */
  | { kind: "wrong"; message: string };

/** A mistake in a command line: its message is the line. */
export class UsageError extends Error {}

export interface Command<Known extends Options, Flags> {
  /** As the user types it, with `--` where the flags follow: `npm start --`. */
  readonly name: string;
  readonly help: string;
  /** Without `--help`, which every command has. */
  readonly options: Known;
  flagsOf(values: ValuesOf<Known>): Flags;
}

export function parseCommandLine<const Known extends Options, Flags>(
  args: readonly string[],
  command: Command<Known, Flags>,
): Parsed<Flags> {
  try {
    const { help = false, ...values } = valuesOf(args, command);
    if (help) return { kind: "help", text: command.help };
    return { kind: "run", flags: command.flagsOf(values as ValuesOf<Known>) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "wrong", message: error.message };
  }
}

function valuesOf(args: readonly string[], { name, options }: { name: string; options: Options }) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: { ...options, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    // Node's own message may have several sentences; the first names the argument.
    const [reason] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(`${reason}; \`${name} --help\` lists the flags.`);
  }
}

/** The flags of a command that is to run. Prints the help, or the mistake, and exits where there are none. */
export function flagsOrExit<Flags>(parsed: Parsed<Flags>): Flags {
  switch (parsed.kind) {
    case "run":
      return parsed.flags;
    case "help":
      process.stdout.write(parsed.text);
      return process.exit(0);
    case "wrong":
      process.stderr.write(`${parsed.message}\n`);
      return process.exit(2);
  }
}
