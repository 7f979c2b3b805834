/** Where a command's words go: results to stdout, everything else to stderr. */
import { type Paint, painter } from "./colour.ts";
import { safeOutput } from "./safe-text.ts";

export interface Terminal {
  /** Of stdout. */
  readonly paint: Paint;
  /** Of stderr. */
  readonly paintNote: Paint;
  /** stdout is read by a person. */
  readonly isShown: boolean;
  /** Columns of stdout. Undefined if stdout is a file or a pipe. */
  readonly width: number | undefined;
  /** stderr is read by a person. */
  readonly isWatched: boolean;
  /** A person can be asked, and will see the question. */
  readonly canAsk: boolean;
  print(text: string): void;
  note(text: string): void;
  /** A line that the next one replaces, on a terminal; elsewhere a line like any other. */
  progress(text: string): void;
  /** Takes the line of progress back. */
  endProgress(): void;
}

export function terminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  let pending = false;
  /** Nothing is left of the line of progress. */
  const settle = () => {
    if (pending) stderr.write("\r\x1b[K");
    pending = false;
  };
  return {
    paint: painter(stdout, env),
    paintNote: painter(stderr, env),
    isShown: stdout.isTTY === true,
    width: stdout.isTTY ? stdout.columns : undefined,
    isWatched: stderr.isTTY === true,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    print(text) {
      settle();
      stdout.write(safeOutput(text));
    },
    note(text) {
      settle();
      stderr.write(safeOutput(text));
    },
    progress(text) {
      if (!stderr.isTTY || env.TERM === "dumb") {
        stderr.write(`${safeOutput(text)}\n`);
        return;
      }
      // Within the line: a longer one would wrap, and only its last row could be taken back.
      stderr.write(`\r\x1b[K${safeOutput(text).slice(0, (stderr.columns || 80) - 1)}`);
      pending = true;
    },
    endProgress: settle,
  };
}
