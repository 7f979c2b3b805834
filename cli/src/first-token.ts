/** The first token of a run, before anything is started with it. */
import type { LookerToken, TokenBrokerClient } from "@looker-token-broker/client";
import { stopAtFirstSignal, stopAtSecondSignal } from "./interruption.ts";
import { namingSharedMode } from "./run-session.ts";
import type { Terminal } from "./terminal.ts";

export interface FirstToken {
  readonly client: TokenBrokerClient;
  readonly minTtlSeconds?: number | undefined;
  /** How the user would ask for the shared token, for an error about the session's budget. */
  readonly sharedMode: string;
}

/**
 * The token, or the signal that came instead or meanwhile. For a session the first signal gives nothing up: the broker's
 * answer is awaited, because its token could not be ended otherwise.
 */
export async function firstToken(
  io: Terminal,
  { client, minTtlSeconds, sharedMode }: FirstToken,
): Promise<{ token?: LookerToken; stopped?: NodeJS.Signals | undefined }> {
  const stop =
    client.session === undefined
      ? stopAtFirstSignal()
      : stopAtSecondSignal(() =>
          io.note("Waiting for the broker's answer, to end its session. Press again to give up.\n"),
        );
  try {
    const token = await client.token({ minTtlSeconds, signal: stop.signal });
    return { token, stopped: stop.received() };
  } catch (error) {
    const stopped = stop.received();
    if (stopped && stop.signal.aborted) return { stopped };
    throw client.session === undefined ? error : namingSharedMode(error, sharedMode);
  } finally {
    stop.release();
  }
}
