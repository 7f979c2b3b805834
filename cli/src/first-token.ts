/** The first token of a run, before anything is started with it. */
import { type LookerToken, TokenBrokerClient } from "@looker-token-broker/client";
import { type ConnectionOptions, connect } from "@looker-token-broker/client/broker";
import { notABroker } from "./answer-shape.ts";
import { stopAtFirstSignal, stopAtSecondSignal } from "./interruption.ts";
import { isWebAddress } from "./looker-url.ts";
import { namingSharedMode } from "./run-session.ts";
import type { Terminal } from "./terminal.ts";
import { noteAttempt } from "./waiting-note.ts";

/** A client, and whether it can have sent anything yet. */
export interface RunClient {
  readonly client: TokenBrokerClient;
  readonly hasCredentials: () => boolean;
}

export function runClient(
  io: Terminal,
  connection: ConnectionOptions,
  { scope, session }: { scope: string; session: string | undefined },
): RunClient {
  const { credentials } = connect(connection);
  let given = false;
  const client = new TokenBrokerClient({
    ...connection,
    ...{ scope, session },
    onRetry: (event) => noteAttempt(io, event),
    async credentials(options) {
      const keys = await credentials(options);
      given = true;
      return keys;
    },
  });
  return { client, hasCredentials: () => given };
}

export interface FirstToken extends RunClient {
  readonly minTtlSeconds?: number | undefined;
  /** How the user would ask for the shared token, for an error about the session's budget. */
  readonly sharedMode: string;
}

/**
 * The token, or the signal that came instead or meanwhile. For a session the first signal gives nothing up: the broker's
 * answer is awaited, because its token could not be ended otherwise. Without AWS credentials nothing has been sent yet.
 */
export async function firstToken(
  io: Terminal,
  { client, hasCredentials, minTtlSeconds, sharedMode }: FirstToken,
): Promise<{ token?: LookerToken; stopped?: NodeJS.Signals | undefined }> {
  const stop =
    client.session === undefined
      ? stopAtFirstSignal()
      : stopAtSecondSignal(
          () => io.note("Waiting for the broker's answer, to end its session. Press again to give up.\n"),
          hasCredentials,
        );
  try {
    const token = await client.token({ minTtlSeconds, signal: stop.signal });
    if (!isWebAddress(token.baseUrl)) throw notABroker();
    return { token, stopped: stop.received() };
  } catch (error) {
    const stopped = stop.received();
    if (stopped && stop.signal.aborted) return { stopped };
    throw client.session === undefined ? error : namingSharedMode(error, sharedMode);
  } finally {
    io.endProgress();
    stop.release();
  }
}
