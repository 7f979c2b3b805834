/** The command line, read strictly. An unknown word, a second value and an empty value are errors. */
import { parseArgs } from "node:util";
import { brokenWords } from "./not-utf8.ts";
import { flagOf, type OptionName, type OptionValues, repeats, typeOf } from "./options.ts";
import { type CommandName, commonOptionsOf, type Synopsis, synopses } from "./synopses.ts";
import { UsageError } from "./usage-error.ts";

export type ParsedCommandLine =
  | { kind: "help"; command?: CommandName }
  | { kind: "version" }
  /** `operands`: the words behind `--`, or the question of `ask`. `given`: values by flags of the deployment's own. */
  | {
      kind: "run";
      command: CommandName;
      values: OptionValues;
      operands: readonly string[];
      given: Readonly<Record<string, string>>;
    };

export function parseCommandLine(args: readonly string[]): ParsedCommandLine {
  refuseChangedWords(args);
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return help(rest.find((word) => !word.startsWith("-")));
  if (name === "--version" || name === "-V") return { kind: "version" };
  if (name.startsWith("-"))
    throw new UsageError("The command comes first, as in `looker-token get --scope sales`.");
  const command = commandOf(name);
  const end = rest.indexOf("--");
  const [own, operands] = end < 0 ? [rest, []] : [rest.slice(0, end), rest.slice(end + 1)];
  const { values, given, operand } = valuesOf(command, own);
  if (values.help) return { kind: "help", command };
  if (command === "exec" && operands.length === 0)
    throw new UsageError(
      "exec takes its command behind --, as in `looker-token exec --scope sales -- ./job.sh`.",
    );
  if (command !== "exec" && operands.length > 0) throw new UsageError(`${command} takes nothing behind --.`);
  return { kind: "run", command, values, operands: operand === undefined ? operands : [operand], given };
}

/** Otherwise another file would be written, or another argument passed on. */
function refuseChangedWords(args: readonly string[]): void {
  const [at] = brokenWords(args);
  if (at !== undefined)
    throw new UsageError(
      `Word ${at + 1} of the command line is not UTF-8, and Node cannot pass it on as it is: put it into a script.`,
    );
}

const help = (about: string | undefined): ParsedCommandLine =>
  about === undefined ? { kind: "help" } : { kind: "help", command: commandOf(about) };

function commandOf(name: string): CommandName {
  if (Object.hasOwn(synopses, name)) return name as CommandName;
  // A longer word may be a token that was given as an argument.
  const shown = /^[a-z-]{1,16}$/.test(name) ? ` ${name}` : " of that name";
  throw new UsageError(`There is no command${shown}: there are ${Object.keys(synopses).join(", ")}.`);
}

interface ReadWords {
  readonly values: OptionValues;
  readonly given: Readonly<Record<string, string>>;
  readonly operand?: string | undefined;
}

function valuesOf(command: CommandName, args: string[]): ReadWords {
  const { options: own, operand: takesOperand, takesOthers }: Synopsis = synopses[command];
  const names = new Map<string, OptionName>(
    [...own, ...commonOptionsOf(command)].map((name) => [flagOf(name), name]),
  );
  const known = [...names].map(([flag, name]): [string, KnownOption] => [
    flag,
    {
      type: typeOf(name, args),
      multiple: repeats(name),
      ...(name === "help" ? { short: "h" } : {}),
    },
  ]);
  const others = takesOthers ? otherFlags(args, names) : [];
  const { values, tokens, positionals } = parse(
    command,
    args,
    {
      ...Object.fromEntries(others.map((flag) => [flag, { type: "string" as const, multiple: false }])),
      ...Object.fromEntries(known),
    },
    takesOperand !== undefined,
  );
  // The word is not repeated, because somebody may have pasted a token.
  if (positionals.length > 1) throw new UsageError(`${command} takes one ${takesOperand}.`);
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const name = names.get(token.name);
    const mayRepeat = name !== undefined && repeats(name);
    // Of two filters the second would win in silence, and something else would be ended than was meant.
    if (seen.has(token.name) && !mayRepeat) throw new UsageError(`--${token.name} is given more than once.`);
    // What a script's unset variable leaves.
    if (token.value === "") throw new UsageError(`--${token.name} is empty: give a value or leave it out.`);
    seen.add(token.name);
  }
  const entries = Object.entries(values);
  return {
    values: Object.fromEntries(
      entries.flatMap(([flag, value]) => {
        const name = names.get(flag);
        return name === undefined ? [] : [[name, value]];
      }),
    ),
    given: Object.fromEntries(entries.filter(([flag]) => others.includes(flag))) as Record<string, string>,
    operand: positionals[0],
  };
}

/** Flags that can name a placeholder, without the options. */
function otherFlags(args: readonly string[], names: ReadonlyMap<string, OptionName>): string[] {
  const flags = args.flatMap((word) => /^--([a-z_][\w-]*)(?:=|$)/.exec(word)?.[1] ?? []);
  return [...new Set(flags)].filter((flag) => !names.has(flag));
}

interface KnownOption {
  readonly type: "string" | "boolean";
  readonly multiple: boolean;
  readonly short?: string;
}

function parse(
  command: CommandName,
  args: string[],
  known: Record<string, KnownOption>,
  allowPositionals: boolean,
) {
  try {
    return parseArgs({ args, options: known, strict: true, allowPositionals, tokens: true });
  } catch (error) {
    // Node repeats the word, which may be a token.
    if ((error as NodeJS.ErrnoException).code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL")
      throw new UsageError(
        command === "whose"
          ? "whose reads the token from stdin, never from its arguments. If a token stood there, it is in the shell's history and in the list of processes now."
          : `${command} takes no word without an option. \`looker-token ${command} --help\` lists the options.`,
      );
    // Node's own message may have several sentences, and the first names the option.
    const [reason] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(`${reason}; \`looker-token ${command} --help\` lists the options.`);
  }
}
