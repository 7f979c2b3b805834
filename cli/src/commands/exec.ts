/** `looker-token exec`: a command with a token, which never stands on a command line. */

import { TokenBrokerClient } from "@looker-token-broker/client";
import { grantsOf } from "@looker-token-broker/client/broker";
import { type Broker, brokerOf, connectionOptions, scopeOf } from "../broker.ts";
import { runCommand } from "../child.ts";
import { failureOf, noteFailure } from "../failure.ts";
import { checkCommand } from "../find-command.ts";
import { exitCodeOfSignal, forwardedSignals, onSignals, stopAtSecondSignal } from "../interruption.ts";
import { keepFresh } from "../keep-fresh.ts";
import type { OptionValues } from "../options.ts";
import { permissionsOf } from "../permissions.ts";
import type { Terminal } from "../terminal.ts";
import { wholeSeconds } from "../time.ts";
import { tokenFile } from "../token-file.ts";
import { UsageError } from "../usage-error.ts";

/** What is asked besides the token is not worth more. */
const budgetMs = 10_000;

export async function exec(io: Terminal, values: OptionValues, command: readonly string[]): Promise<number> {
  if (values.keep && values.end) throw new UsageError("--keep and --end: choose one.");
  const minTtl = values["min-ttl"];
  const minTtlSeconds = minTtl === undefined ? undefined : wholeSeconds("min-ttl", minTtl, 1);
  const scope = scopeOf(values);
  const grant = { may: "call", scope } as const;
  const broker = brokerOf(values, grant);
  const client = new TokenBrokerClient({ ...connectionOptions(values, grant), scope });
  const file = values["token-file"] === undefined ? undefined : tokenFile(values["token-file"]);
  // No login for a slip of the pen.
  checkCommand(command[0] ?? "", process.env);
  file?.check();

  // From here on no signal ends this process by itself: there may be a lease to end.
  const release = onSignals(forwardedSignals, () => {});
  const stop = stopAtSecondSignal(() =>
    io.note("Waiting for the broker's answer, to end its lease; again to give up.\n"),
  );
  const given = new Set<string>();
  let isMine = async () => false;
  const over = new AbortController();
  try {
    const asked = Date.now();
    const leaseSeconds = values.keep || values.end ? undefined : leaseSecondsOf(broker, scope, over.signal);
    const token = await client.token({ minTtlSeconds, signal: stop.signal });
    const answered = Date.now();
    given.add(token.leaseId);
    isMine = async () => {
      if (values.keep || values.end) return values.end === true;
      return beganHere(token.expiresAt.getTime(), (await leaseSeconds) ?? 0, { asked, answered });
    };
    stop.release();
    const stopped = stop.received();
    if (stopped) return exitCodeOfSignal(stopped);

    file?.write(token.accessToken);
    const environment = {
      ...process.env,
      LOOKER_ACCESS_TOKEN: token.accessToken,
      LOOKERSDK_BASE_URL: token.baseUrl,
      ...(file ? { LOOKER_TOKEN_FILE: file.path } : {}),
    };
    const renewal = file && keepFresh(io, values, { client, file, token, given, everyMs: 5_000 });
    try {
      return await runCommand(command, environment);
    } finally {
      await renewal?.stop();
    }
  } finally {
    stop.release();
    file?.remove();
    if (await isMine()) await end(io, values, broker, scope, given);
    // Without a token nobody waits for what was asked beside it.
    over.abort();
    release();
  }
}

/** Undefined where the caller's IAM policy does not let it ask: then nothing is known, and no lease is ended. */
async function leaseSecondsOf(
  broker: Broker,
  scope: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const grants = await permissionsOf(broker, { budgetMs, signal }).then(grantsOf, () => []);
  return grants.find((each) => each.scope === scope)?.leaseSeconds;
}

/**
 * Whether a lease began with this process's request and was not there before. `expires_in` is cut to whole seconds and is
 * counted from when the request was sent, so that the lease looks older by as much.
 */
export function beganHere(
  expiresAt: number,
  leaseSeconds: number,
  { asked, answered }: { asked: number; answered: number },
): boolean {
  const issuedAt = expiresAt - leaseSeconds * 1_000;
  return issuedAt >= asked - (answered - asked) - 1_000 && issuedAt <= answered;
}

async function end(
  io: Terminal,
  values: OptionValues,
  broker: Broker,
  scope: string,
  given: ReadonlySet<string>,
): Promise<void> {
  const stop = stopAtSecondSignal(() => io.note("Ending the lease; again to give up.\n"));
  try {
    await Promise.all(
      [...given].map((leaseId) =>
        broker.ask({
          method: "POST",
          path: `/scopes/${scope}/logout`,
          body: { lease_id: leaseId },
          signal: stop.signal,
          budgetMs,
        }),
      ),
    );
  } catch (error) {
    const failure = failureOf(error);
    noteFailure(io, values, { ...failure, message: `The lease was not ended. ${failure.message}` });
  } finally {
    stop.release();
  }
}
