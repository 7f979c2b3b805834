/** While a command runs, its token file holds a good token. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LookerToken } from "@looker-token-broker/client";
import { failureOf, noteFailure } from "./failure.ts";
import type { OptionValues } from "./options.ts";
import type { OwnFile } from "./own-file.ts";
import type { Terminal } from "./terminal.ts";

type FileToken = Pick<LookerToken, "leaseId" | "accessToken">;

export interface KeepFresh {
  /** A `TokenBrokerClient`. */
  readonly client: { token(options: { signal: AbortSignal }): Promise<FileToken> };
  readonly file: OwnFile;
  /** Already in the file. */
  readonly token: FileToken;
  /** How often the client is asked. It answers from memory, and renews by itself well before a token's end. */
  readonly everyMs: number;
}

export function keepFresh(
  io: Terminal,
  values: OptionValues,
  { client, file, token, everyMs }: KeepFresh,
): { stop(): Promise<void> } {
  const over = new AbortController();
  const { signal } = over;
  const renewing = (async () => {
    let leaseId = token.leaseId;
    let failing = false;
    for (;;) {
      await sleep(everyMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        const next = await client.token({ signal });
        if (next.leaseId !== leaseId) file.write(next.accessToken);
        leaseId = next.leaseId;
        failing = false;
      } catch (error) {
        if (signal.aborted) return;
        // Told once; the command goes on, and so do the attempts.
        if (!failing) noteFailure(io, values, named(error));
        failing = true;
      }
    }
  })();
  return {
    async stop() {
      over.abort();
      await renewing;
    },
  };
}

function named(error: unknown) {
  const failure = failureOf(error);
  return { ...failure, message: `The token could not be renewed. ${failure.message}` };
}
