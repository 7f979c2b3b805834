/**
 * The broker's session of one run of a command: a Looker token of its own, next to the role's shared token. Another process
 * can neither end it nor switch its workspace.
 */
import { randomBytes } from "node:crypto";
import {
  isSessionName,
  sessionNameRule,
  TokenBrokerError,
  type TokenBrokerErrorCode,
} from "@looker-token-broker/client/broker";
import type { Broker } from "./broker.ts";
import { failureOf, noteFailure } from "./failure.ts";
import { stopAtSecondSignal } from "./interruption.ts";
import type { OptionValues } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** For the end of a run. More time would hold up the job's own exit. */
const endBudgetMs = 10_000;

/** The name of `--session`, or a random one. Operators see the command at its beginning. */
export function sessionNameOf(given: string | true, command: string): string {
  if (given === true) return `${command}-${randomBytes(6).toString("hex")}`;
  if (!isSessionName(given)) throw new UsageError(`--session ${given} is not possible. ${sessionNameRule}`);
  return given;
}

/** Ends exactly these sessions. A failure is told, and the run's exit code stays as it is. */
export async function endSessions(
  io: Terminal,
  values: OptionValues,
  { broker, scope, sessions }: { broker: Broker; scope: string; sessions: readonly string[] },
): Promise<void> {
  if (sessions.length === 0) return;
  const stop = stopAtSecondSignal(() => io.note("Ending the session. Press again to give up.\n"));
  const end = (session: string) =>
    broker.ask({
      method: "POST",
      path: `/scopes/${scope}/logout`,
      body: { session },
      signal: stop.signal,
      timeoutMs: endBudgetMs,
    });
  try {
    await Promise.all(sessions.map(end));
  } catch (error) {
    const failure = failureOf(error);
    noteFailure(io, values, { ...failure, message: `The session was not ended. ${failure.message}` });
  } finally {
    stop.release();
  }
}

const budgetCode: TokenBrokerErrorCode = "too_many_mints";

/** The same error, with the way out: the shared token takes no login of its own. */
export function namingSharedMode(error: unknown, way: string): unknown {
  if (!(error instanceof TokenBrokerError) || error.code !== budgetCode) return error;
  const { code, summary, status, requestId, retryAfterSeconds } = error;
  const later = retryAfterSeconds === undefined ? "later" : `in ${retryAfterSeconds} s`;
  const hint = `Your role has used up its logins for sessions. Share the role's token instead (${way}), or try again ${later}.`;
  return new TokenBrokerError(code, summary, { hint, status, requestId, retryAfterSeconds });
}
