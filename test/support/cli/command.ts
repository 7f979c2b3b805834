/** `looker-token` from its sources, in a pipe or under a terminal, against a broker of the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type Keys, type Shown, underTerminal } from "./pseudo-terminal.ts";

const pathOf = (file: string) => fileURLToPath(new URL(`../../../cli/${file}`, import.meta.url));
const command = [process.execPath, "--import", pathOf("from-source.mjs"), pathOf("src/main.ts")] as const;

export interface Ran {
  /** 128 + signal, where that ended it. */
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  out(): string;
  err(): string;
}

export class Command {
  readonly #directory: string;
  readonly #environment: Record<string, string>;

  /** No AWS credentials come in from outside, and none are looked for on the network. */
  constructor(directory: string, environment: Record<string, string> = {}) {
    this.#directory = directory;
    this.#environment = {
      PATH: process.env.PATH ?? "",
      HOME: directory,
      AWS_EC2_METADATA_DISABLED: "true",
      TERM: "xterm-256color",
      ...environment,
    };
  }

  with(environment: Record<string, string>): Command {
    return new Command(this.#directory, { ...this.#environment, ...environment });
  }

  without(...names: string[]): Command {
    const command = this.with({});
    for (const name of names) delete command.#environment[name];
    return command;
  }

  start(...args: string[]): Running {
    return this.startBy([], ...args);
  }

  /** Another program starts it, such as `nohup`, or a shell with its redirections: `["sh", "-c", '"$@" > file', "sh"]`. */
  startBy(program: readonly string[], ...args: string[]): Running {
    return this.#spawn("ignore", program, args);
  }

  /** As `startBy`, with a pipe for its stdin. */
  talkTo(program: readonly string[], ...args: string[]): Running {
    return this.#spawn("pipe", program, args);
  }

  #spawn(stdin: "ignore" | "pipe", program: readonly string[], args: readonly string[]): Running {
    const [file = "", ...words] = [...program, ...command, ...args];
    const child = spawn(file, words, {
      cwd: this.#directory,
      env: this.#environment,
      stdio: [stdin, "pipe", "pipe"],
      // In a session of its own: the terminal of whoever runs the tests is not the command's.
      detached: true,
    });
    let [out, err] = ["", ""];
    child.stdout?.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      err += chunk;
    });
    let closed = false;
    const ended = new Promise<Ran>((resolve) =>
      child.once("close", (code, signal) => {
        closed = true;
        resolve({ exitCode: signal ? 128 + constants.signals[signal] : (code ?? 0), out, err });
      }),
    );
    // A test that failed may leave it, or what it runs, behind.
    onTestFinished(() => void (closed || process.kill(-(child.pid as number), "SIGKILL")));
    return { child, ended, out: () => out, err: () => err };
  }

  run(...args: string[]): Promise<Ran> {
    return this.start(...args).ended;
  }

  onTerminal(args: readonly string[], ...keys: Keys[]): Promise<Shown> {
    return underTerminal([...command, ...args], {
      cwd: this.#directory,
      env: this.#environment,
      keys,
    });
  }

  /** As `onTerminal`, with the shell's words for where its streams lead. */
  onTerminalWith(redirections: string, args: readonly string[], ...keys: Keys[]): Promise<Shown> {
    const script = `exec "$0" "$@" ${redirections}`;
    return underTerminal(["sh", "-c", script, ...command, ...args], {
      cwd: this.#directory,
      env: this.#environment,
      keys,
    });
  }
}

/** What differs from run to run, by a name; columns as wide as their cells are then, and escapes to be read. */
export function readable(text: string): string {
  return text
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/AROA[A-Z2-7]{17}/g, "UNIQUE")
    .replace(/\b[0-9a-f]{20}\b/g, "ID")
    .replace(/\b(\d+m )?\d+s\b/g, "SPAN")
    .replaceAll("\x1b", "␛")
    .replace(/ {2,}/g, "  ");
}
