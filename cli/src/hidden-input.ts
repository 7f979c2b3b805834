/** A secret from stdin, where no history, no list of processes and no screen has it. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { onSignals } from "./interruption.ts";
import type { Terminal } from "./terminal.ts";

/** A pipe may hold anything. */
const mostCharacters = 65_536;

/** From a pipe all of it, from a terminal one line, which is not shown. */
export async function readHidden(io: Terminal, question: string): Promise<string> {
  const { stdin } = process;
  return stdin.isTTY ? await askHidden(io, question) : await pipedText(stdin);
}

async function pipedText(stream: NodeJS.ReadStream): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    text += chunk;
    if (text.length > mostCharacters) break;
  }
  return text;
}

async function askHidden(io: Terminal, question: string): Promise<string> {
  // Node's own editing of lines, with its echo thrown away.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  // Only now: before, the terminal itself would show what is pasted.
  io.note(question);
  return await new Promise((resolve) => {
    const end = (line: string) => {
      release();
      lines.off("close", atEnd);
      lines.close();
      io.note("\n");
      resolve(line);
    };
    const atEnd = () => end("");
    // As a signal ends any other command, but with the terminal as it was.
    const stop = (signal: NodeJS.Signals) => {
      end("");
      process.kill(process.pid, signal);
    };
    const release = onSignals(["SIGTERM", "SIGHUP", "SIGQUIT"], stop);
    lines.once("line", end);
    lines.once("SIGINT", () => stop("SIGINT"));
    lines.once("close", atEnd);
  });
}
