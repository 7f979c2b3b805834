/** Waits for the last word of stdout and stderr, and reports a failure to write. */
import { setImmediate as turn } from "node:timers/promises";
import { exitCodes } from "./exit-codes.ts";
import type { Failure } from "./failure.ts";

export interface Output {
  /** Waits until both streams have taken everything. Returns the failure of stdout. A failure of stderr has no place left to be told. */
  flushed(): Promise<Failure | undefined>;
}

/** To be called before the first word: a stream whose failure nobody listens to ends the process. */
export function watchOutput(): Output {
  const { stdout, stderr } = process;
  let failure: NodeJS.ErrnoException | undefined;
  // EPIPE: the reader has had enough, as in `| head -1`. No failure here breaks off a clean-up.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") failure ??= error;
  });
  stderr.on("error", () => {});
  return {
    async flushed() {
      await Promise.all([stdout, stderr].map((stream) => new Promise((done) => stream.write("", done))));
      // A stream calls back before it emits its error.
      await turn();
      return failure && unwritten(failure);
    },
  };
}

const unwritten = ({ code }: NodeJS.ErrnoException): Failure => ({
  exitCode: exitCodes.unwritten,
  code: "unwritten",
  message: `The output could not be written (${code}).`,
});
