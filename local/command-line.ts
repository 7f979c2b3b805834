/** The reader of a command line, of `npm start` and of `npm run probe`. Pure. */
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

/** Thrown with that line. */
export class UsageError extends Error {}

export interface Command<Known extends Options, Flags> {
  /** How it is called, with `--` where its flags follow. */
  readonly name: string;
  readonly help: string;
  /** But `--help`, which each has. */
  readonly options: Known;
  flagsOf(values: ValuesOf<Known>): Flags;
}

export function read<const Known extends Options, Flags>(
  args: readonly string[],
  command: Command<Known, Flags>,
): Parsed<Flags> {
  try {
    const { help = false, ...values } = parse(args, command);
    if (help) return { kind: "help", text: command.help };
    return { kind: "run", flags: command.flagsOf(values as ValuesOf<Known>) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "wrong", message: error.message };
  }
}

function parse(args: readonly string[], { name, options }: { name: string; options: Options }) {
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
