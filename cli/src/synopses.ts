/** The commands, as the help shows them. */
import type { OptionName } from "./options.ts";

export interface Synopsis {
  readonly summary: string;
  /** Behind the command's name. */
  readonly usage: string;
  /** Those that all commands have come after these. */
  readonly options: readonly OptionName[];
  readonly examples: readonly string[];
  readonly notes?: string;
  /** A word without an option's name. */
  readonly operand?: string;
  /** Unknown flags are values of the operand. */
  readonly takesOthers?: true;
  /** Common options without a meaning here. */
  readonly without?: readonly OptionName[];
}

const common: readonly OptionName[] = ["endpoint", "stack", "region", "local", "as", "json", "help"];

/** Options of all commands, but for those without a meaning for this one. */
export function commonOptionsOf(command: CommandName): readonly OptionName[] {
  const { options: own, without = [] }: Synopsis = synopses[command];
  return common.filter((name) => !without.includes(name) && !own.includes(name));
}

const filters = ["lease-id", "caller", "issued-before", "client-id", "all"] as const;

export const synopses = {
  get: {
    summary: "Print a Looker access token",
    usage: "--scope NAME [--header | --env | --json]",
    options: ["scope", "header", "env", "min-ttl"],
    examples: [
      "TOKEN=$(looker-token get --scope sales)",
      'eval "$(looker-token get --scope sales --env)"',
      "looker-token get --scope sales --header | curl -H @- https://example.cloud.looker.com/api/4.0/user",
    ],
  },
  exec: {
    summary: "Run a command with a token, or through a proxy",
    usage: "--scope NAME [--session [NAME]] [--proxy] -- COMMAND [ARGUMENT …]",
    options: [
      "scope",
      "session",
      "token-file",
      "min-ttl",
      "proxy",
      "shared",
      "set-env",
      "ini",
      "allow-credentials",
    ],
    examples: [
      "looker-token exec --scope sales -- ./nightly-report.sh",
      "looker-token exec --scope sales --token-file /run/report/token -- python3 job.py",
      "looker-token exec --scope sales --proxy -- python3 dashboards.py",
      "looker-token exec --scope sales --proxy --env LOOKER_URL={base} -- ./tool",
    ],
    notes: `The command finds the token in LOOKER_ACCESS_TOKEN, and Looker's URL in
LOOKERSDK_BASE_URL and LOOKER_API_ENDPOINT. A job that runs longer than a lease
reads the file of --token-file again for each call. The exit code is the
command's.

The token is the one that all processes of your role share, and stays when the
command ends. A command that switches the workspace or logs out takes --session:
a token of its own, ended with the command.

With --proxy the command needs a base URL, a client id and a client secret, as
most Looker tools do. It finds those of a proxy on 127.0.0.1 in
LOOKERSDK_BASE_URL, LOOKERSDK_CLIENT_ID and LOOKERSDK_CLIENT_SECRET. The command
never gets a token of Looker's. --proxy takes a session, unless --shared is given.

INT, TERM, HUP, QUIT, USR1, USR2 and WINCH are passed on to the command. On a
terminal INT, QUIT and WINCH are not: it gives them to the command itself, so end
it from elsewhere with TERM. After kill -9 the lease lives on until its end.
Protect the command from HUP behind the dashes, as in -- nohup ./job.sh.`,
  },
  proxy: {
    summary: "Run the proxy by itself, for a tool that is started elsewhere",
    usage: "--scope NAME [--port PORT] [--settings PATH] [--ini PATH]",
    options: ["scope", "port", "session", "settings", "ini", "set-env", "allow-credentials"],
    examples: [
      "looker-token proxy --scope sales",
      "looker-token proxy --scope sales --port 9100 --settings /run/looker/env",
    ],
    notes: `The proxy runs until INT or TERM. It prints the tool's settings, or writes them
to the files of --settings and --ini. In a container, set LOOKER_PROXY_CLIENT_ID
and LOOKER_PROXY_CLIENT_SECRET to values of your choice, and give the tool the
same two. These values open this proxy and nothing else. Without --session the
proxy uses the token that your role shares. It never ends that token, and never
switches its workspace.`,
  },
  logout: {
    summary: "End your own leases",
    usage: "--scope NAME [--lease-id ID | --session NAME]",
    options: ["scope", "lease-id", "session-name"],
    examples: ["looker-token logout --scope sales", "looker-token logout --scope sales --session nightly"],
    notes: `All processes of one role are one caller: without an option the leases of all of
them end, and those of all sessions.`,
  },
  scopes: {
    summary: "List what you may do in which scope",
    usage: "",
    options: [],
    examples: ["looker-token scopes"],
    notes: `For an operator the lines above the table tell of frozen scopes, with the reason, and
of findings about service accounts.`,
  },
  whoami: {
    summary: "Show who you are to the broker",
    usage: "",
    options: [],
    examples: ["looker-token whoami"],
  },
  doctor: {
    summary: "Find out why it does not work",
    usage: "[--scope NAME]",
    options: ["scope"],
    examples: ["looker-token doctor --scope sales", "looker-token doctor --scope sales --json"],
    notes: `One line for each check: ok, warn, fail or skipped, the finding, and the next
step. The first fail gives the exit code. No key, token or password is
in the output, so it can go into a ticket. With a scope, doctor asks for the token
that all processes of your role share, and shows it to Looker once. It ends
nothing.`,
  },
  "local-env": {
    summary: "Print the variables of the broker that `npm start` runs",
    usage: "[--as NAME] [--scope NAME]",
    options: ["scope"],
    without: ["endpoint", "stack", "region"],
    examples: ['eval "$(looker-token local-env --as report-service)"'],
    notes: `For eval in a POSIX shell. Programs with AWS's SDKs or the client library then
call the local broker as this principal.`,
  },
  leases: {
    summary: "List who holds what",
    usage: "--scope NAME | --all-scopes",
    options: ["scope", "all-scopes"],
    examples: ["looker-token leases --scope sales", "looker-token leases --all-scopes --json"],
    notes: `REMAINING is what a live lease has until its end. Of a superseded or pending one it is how long its token may still work
at Looker, where no logout is confirmed. All ages are by the broker's clock.

A line above the table names the findings about the service account. The lease
"broker's account check" belongs to the broker, and ends by itself in seconds.`,
  },
  account: {
    summary: "Show whether the service account may do too much",
    usage: "--scope NAME | --all-scopes",
    options: ["scope", "all-scopes"],
    examples: ["looker-token account --scope sales", "looker-token account --all-scopes --json"],
    notes: `The broker checks each scope's Looker account once a week, and after its client id
has changed. This shows the last check, and asks Looker nothing. Each finding has
its next step. Findings that the scope's definition accepts come last. The exit
code is 0 with findings, too: scripts read --json.`,
  },
  whose: {
    summary: "Tell whose token was found, and end it",
    usage: "[--scope NAME] [--revoke [--yes]]",
    options: ["only-scope", "revoke", "yes", "wait"],
    examples: ["looker-token whose", "cat found-token.txt | looker-token whose --revoke --yes"],
    notes: `The token comes from stdin, never as an argument: arguments are in the shell's
history and in the list of processes. On a terminal you paste it, and it is not
shown. Only its SHA-256 is sent. Authorization, Bearer, token and quotes around
it are taken off. 64 hexadecimal digits are taken for the SHA-256 itself.

Without --scope it looks in every scope that you operate. If no lease has the
token, it says what is left to do. With --revoke and no such lease the exit code
is 5.`,
  },
  revoke: {
    summary: "End leases, and be told whether they are dead",
    usage: "(--scope NAME | --all-scopes) (FILTER … | --all) [--dry-run | --yes]",
    options: ["scope", "all-scopes", ...filters, "dry-run", "yes", "wait"],
    examples: [
      "looker-token revoke --scope sales --caller report-service",
      "looker-token revoke --scope sales --issued-before 30m --dry-run",
      "looker-token revoke --all-scopes --all --yes",
    ],
    notes: `Filters combine: a lease must match all of them. It shows how many match and asks, then follows what Looker has not
confirmed. The last line begins with one word: revoked (Looker confirmed each), pending (given to nobody any more,
not confirmed; the broker goes on trying), expired (Looker itself ended some, at the end of their life) or unknown.

A request whose answer is lost is not sent again: it would end leases of since then. Those that were listed before are
ended one by one, and what is not seen to be dead is called unknown.

--caller takes the name of a role or user if exactly one caller with a lease bears it.
Otherwise pass its IAM ARN, or the ARN of one of its sessions as in an error message:
arn:aws:sts::111122223333:assumed-role/report-service/i-0abc. All sessions are meant.

A caller whose leases are ended may fetch new ones at once: freeze the scope to keep it out.

--client-id alone also denies the id: no login is made with it any more, in all scopes of the secret, until allow-client
takes that back.`,
  },
  "allow-client": {
    summary: "Let a denied client id log in again",
    usage: "--scope NAME --client-id ID",
    options: ["scope", "denied-client-id"],
    examples: ["looker-token allow-client --scope sales --client-id 60feedcafd9abdf2eef2"],
    notes: `The way back from revoke --client-id. It holds for all scopes that share the
secret, and is for operators of each of them. A pair that the rotation has retired
stays denied. A caller that was refused just before may be refused for ten seconds
more.`,
  },
  freeze: {
    summary: "Serve nothing of a scope any more, and end what was given out",
    usage: "(--scope NAME | --all-scopes --yes) --reason TEXT",
    options: ["scope", "all-scopes", "reason", "yes", "wait"],
    examples: ['looker-token freeze --scope sales --reason "incident 42"'],
  },
  unfreeze: {
    summary: "Serve a scope again, with new leases",
    usage: "--scope NAME | --all-scopes",
    options: ["scope", "all-scopes"],
    examples: ["looker-token unfreeze --scope sales"],
  },
  status: {
    summary: "Show all present faults on one screen",
    usage: "[--stack NAME | --local]",
    without: ["endpoint"],
    options: [],
    examples: ["looker-token status", "looker-token status --local --json"],
    notes: `Frozen scopes, pending logouts, failed logins, findings about service accounts, rotation, alarms, and the sweeper's
last run. It looks at the scopes that you operate. For the stack, the records and the alarms your role needs the
auditor's policy. A part without an answer is named, and the others are shown.

The exit code is 0 with faults as well, because scripts read --json. Another code means that nothing could be asked.`,
  },
  ask: {
    summary: "Ask a deployment's records a saved question",
    usage: "[QUESTION] [--VALUE …] [--since SPAN] [--stack NAME]",
    operand: "question",
    takesOthers: true,
    without: ["endpoint"],
    options: ["since", "print-query"],
    examples: [
      "looker-token ask",
      "looker-token ask what-goes-wrong --since 24h",
      "looker-token ask is-this-lease-dead --lease-id 8ae67a142e19b6ce3e1e",
      "looker-token ask --local who-holds-tokens-now",
    ],
    notes: `Without QUESTION it lists the deployment's saved queries of CloudWatch Logs Insights, with their values. Your AWS
credentials need the auditor's policy of the stack. New records take some seconds to arrive.

A table wider than the terminal is printed row by row. AWS bills a query by the bytes of its span.`,
  },
  console: {
    summary: "Look at scopes and leases in a browser, and end them there",
    usage: "[--local] [--port PORT] [--no-open]",
    options: ["port", "no-open"],
    examples: ["looker-token console", "looker-token console --local"],
    notes: `The command serves a page on 127.0.0.1 for your browser, and asks the broker with
your AWS credentials. The page shows the scopes that you operate. The link works
once, in one browser. The console ends with Ctrl-C, or after an hour without use.
A pasted token never leaves the page. The broker is asked by its SHA-256.

On Linux the process list shows the link while a browser starts with it. With
--no-open the command only prints the link, and you paste it.`,
  },
} as const satisfies Record<string, Synopsis>;

export type CommandName = keyof typeof synopses;
