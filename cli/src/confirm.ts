/** A question before something is ended. */
import { createInterface } from "node:readline";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Asked before anything else: what nobody can answer is an error at once. */
export function requireTerminal(io: Terminal, otherwise = "add --yes, or count with --dry-run first."): void {
  if (!io.canAsk) throw new UsageError(`Nobody can be asked here: ${otherwise}`);
}

/** Only `y` or `yes` is a yes; the end of the input is a no. */
export async function confirm(io: Terminal, question: string): Promise<boolean> {
  io.note(`${question} [y/N] `);
  // Not as a terminal: that would put it into raw mode, and Ctrl-C could leave it there.
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
    io.note("\n");
    return false;
  } finally {
    lines.close();
    process.stdin.unref?.();
  }
}
