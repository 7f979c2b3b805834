/** While the broker is away: a person at the terminal sees that the command waits, and why. Logs get the error at the end alone. */
import type { RetryEvent, RetryListener } from "@looker-token-broker/client/broker";
import type { Terminal } from "./terminal.ts";

/** Does the work, and notes each failed attempt on a line of progress that ends with the work. */
export async function withNotes<T>(io: Terminal, work: (onRetry: RetryListener) => Promise<T>): Promise<T> {
  try {
    return await work((event) => noteAttempt(io, event));
  } finally {
    io.endProgress();
  }
}

/** On a line of progress, for the caller to end. */
export function noteAttempt(io: Terminal, { attempt, error }: RetryEvent): void {
  if (io.isWatched) io.progress(`Attempt ${attempt} failed, trying again. ${error.summary}`);
}
