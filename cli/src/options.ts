/** Every option of every command: its value, and its line of help. */

interface Option {
  /** The name on the command line, where it is not the option's own: two commands may give one name two meanings. */
  readonly flag?: string;
  /** A word for its value. Without it the option is a switch. */
  readonly takes?: string;
  /** The value may be left out: `--session` as well as `--session NAME`. */
  readonly optional?: true;
  /** The command line may have it several times. */
  readonly repeats?: true;
  readonly help: string;
}

export const options = {
  scope: { takes: "NAME", help: "the scope; also from LOOKER_BROKER_SCOPE" },
  "only-scope": {
    flag: "scope",
    takes: "NAME",
    help: "only this scope (by default every scope that you operate)",
  },
  "all-scopes": { help: "every scope that you operate" },
  endpoint: { takes: "URL", help: "the broker's API with its stage; also from LOOKER_BROKER_ENDPOINT" },
  stack: {
    takes: "NAME",
    help: "the CloudFormation stack with the broker (or LOOKER_BROKER_STACK)",
  },
  region: { takes: "NAME", help: "the API's AWS region, where neither the endpoint nor AWS_REGION tells" },
  local: { help: "the broker that `npm start` runs, found by .local/broker.json" },
  as: { takes: "NAME", help: "with --local: this principal; without it the first that may do it" },
  json: { help: "print JSON, errors as well (to stderr)" },
  help: { help: "print this" },
  header: { help: "print a header: Authorization: Bearer …" },
  env: { help: 'print for a shell: eval "$(looker-token get --env)"' },
  "min-ttl": { takes: "SECONDS", help: "life that the token must have left (60); at most half a lease" },
  "token-file": {
    takes: "PATH",
    help: "keep a good token in this file (mode 0600) while the command runs; its path is in LOOKER_TOKEN_FILE",
  },
  session: {
    takes: "NAME",
    optional: true,
    help: "a token of its own for this run, ended with the run (NAME is random by default)",
  },
  "session-name": { flag: "session", takes: "NAME", help: "the leases of this session, and no others" },
  proxy: { help: "run a loopback proxy, so that a tool with a login needs no Looker secret" },
  shared: { help: "with --proxy: use the token that your role shares, in place of a session" },
  port: { takes: "PORT", help: "the port on 127.0.0.1 (by default a free one)" },
  "no-open": { help: "only print the link, and open no browser" },
  "set-env": {
    flag: "env",
    takes: "NAME=TEMPLATE",
    repeats: true,
    help: "also set this variable, to a text with {base} {host} {port} {id} {secret} (repeatable)",
  },
  ini: { takes: "PATH", help: "write a looker.ini (mode 0600) until the end, for tools that read one" },
  // Not --env-file: Node takes an option of that name for its own, wherever it stands on the command line.
  settings: {
    takes: "PATH",
    help: "write the variables to this file (mode 0600) until the end, as NAME=VALUE lines",
  },
  "allow-credentials": {
    help: "let requests for another Looker credential through (by default they get 403)",
  },
  "lease-id": { takes: "ID", help: "this lease" },
  caller: {
    takes: "NAME|ARN",
    help: "leases of this role or user: its name, its IAM ARN, or a session's ARN",
  },
  "issued-before": {
    takes: "TIME",
    help: "leases from before 2026-11-24T13:00:00Z, or from before 30m ago by the broker's clock",
  },
  "client-id": {
    takes: "ID",
    help: "leases of this Looker client id; given alone it also denies the id to new logins",
  },
  "denied-client-id": { flag: "client-id", takes: "ID", help: "the Looker client id that was denied" },
  all: { help: "everything in the scope" },
  revoke: { help: "end it, too" },
  "dry-run": { help: "only count" },
  yes: { help: "do not ask" },
  wait: { takes: "SECONDS", help: "how long to follow what is pending (60); 0 does not wait" },
  since: { takes: "SPAN", help: "how far to look back (2h): up to 9999 of s, m, h, d" },
  "print-query": { help: "print the query with its values, and run nothing" },
  reason: { takes: "TEXT", help: "for the operator who will unfreeze it: 1 to 256 characters on one line" },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;

/** A text for an option that takes a value, `true` for one that does not. */
type OptionValue<Shape> = Shape extends { repeats: true }
  ? readonly string[]
  : Shape extends { optional: true }
    ? string | true
    : Shape extends { takes: string }
      ? string
      : boolean;

export type OptionValues = { readonly [Name in OptionName]?: OptionValue<(typeof options)[Name]> };

/** The option's name on the command line, without its dashes. */
export const flagOf = (name: OptionName): string => (options[name] as Option).flag ?? name;

/** As the help shows it: `--session [NAME]`. */
export function shownOption(name: OptionName): string {
  const { takes, optional }: Option = options[name];
  if (takes === undefined) return `--${flagOf(name)}`;
  return `--${flagOf(name)} ${optional ? `[${takes}]` : takes}`;
}

export const repeats = (name: OptionName): boolean => (options[name] as Option).repeats === true;

/** "string": the option takes a value. An optional value is there unless another option, or nothing, follows its name. */
export function typeOf(name: OptionName, args: readonly string[]): "string" | "boolean" {
  const { takes, optional }: Option = options[name];
  if (takes === undefined) return "boolean";
  const isBare = args.some(
    (word, at) =>
      word === `--${flagOf(name)}` && (args[at + 1] === undefined || args[at + 1]?.startsWith("-")),
  );
  return optional && isBare ? "boolean" : "string";
}
