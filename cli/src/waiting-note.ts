/** While the broker is away: a person at the terminal sees that the command waits, and why. Logs get the error at the end alone. */
import { TokenBrokerError } from "@looker-token-broker/client/broker";
import type { Terminal } from "./terminal.ts";

/** An attempt that failed, before the wait for the next one. */
export interface FailedAttempt {
  /** From 1 on. */
  readonly attempt: number;
  readonly error: TokenBrokerError;
}

/** The last attempt is noted as well, for the moment until its error takes the line's place. */
export function noteWaiting(io: Terminal, { attempt, error }: FailedAttempt): void {
  if (io.isWatched) io.progress(`Attempt ${attempt} failed, trying again. ${error.message}`);
}

/** Counts the attempts, tells of each failed one, and has the final error say how many there were. */
export async function withNotes<T>(
  io: Terminal,
  retrying: (counted: <Answer>(attempt: () => Promise<Answer>) => Promise<Answer>) => Promise<T>,
): Promise<T> {
  let attempts = 0;
  try {
    return await retrying(async (attempt) => {
      attempts++;
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof TokenBrokerError && error.retryable)
          noteWaiting(io, { attempt: attempts, error });
        throw error;
      }
    });
  } catch (error) {
    throw attempts > 1 && error instanceof TokenBrokerError ? withCount(error, attempts) : error;
  } finally {
    io.endProgress();
  }
}

function withCount(error: TokenBrokerError, attempts: number): TokenBrokerError {
  const { code, message, hint, status, requestId, retryAfterSeconds, retryable } = error;
  return new TokenBrokerError(code, `${message} (${attempts} attempts)`, {
    ...{ hint, status, requestId, retryAfterSeconds, retryable },
  });
}
