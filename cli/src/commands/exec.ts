/** `looker-token exec`: a command with a token, which never stands on a command line. */

import { brokerOf, connectionOptions, scopeOf } from "../broker.ts";
import { runCommand } from "../child.ts";
import { noteFailure } from "../failure.ts";
import { checkCommand } from "../find-command.ts";
import { firstToken, runClient } from "../first-token.ts";
import { exitCodeOfSignal, forwardedSignals, onSignals } from "../interruption.ts";
import { keepFresh } from "../keep-fresh.ts";
import { brokenVariables } from "../not-utf8.ts";
import { flagOf, type OptionName, type OptionValues } from "../options.ts";
import { ownFile } from "../own-file.ts";
import { endSessions, sessionNameOf } from "../run-session.ts";
import type { Terminal } from "../terminal.ts";
import { wholeSeconds } from "../time.ts";
import { UsageError } from "../usage-error.ts";
import { execWithProxy } from "./exec-with-proxy.ts";

export async function exec(io: Terminal, values: OptionValues, command: readonly string[]): Promise<number> {
  checkCombination(values);
  // No login for a slip of the pen.
  checkCommand(command[0] ?? "", process.env);
  noteChangedVariables(io, values);
  return values.proxy ? execWithProxy(io, values, command) : execWithToken(io, values, command);
}

/** As on the command line, but one odd variable of many is no reason to stop a job. */
function noteChangedVariables(io: Terminal, values: OptionValues): void {
  const names = brokenVariables(process.env);
  if (names.length === 0) return;
  const message = `Not UTF-8, so changed for the command: the environment's ${names.join(", ")}.`;
  noteFailure(io, values, { exitCode: 0, code: "changed_variable", message });
}

const onlyWithProxy: readonly OptionName[] = ["shared", "set-env", "ini", "allow-credentials"];
/** Options about Looker's own token. A proxied command never sees it. */
const neverWithProxy: readonly OptionName[] = ["token-file", "min-ttl"];

function checkCombination(values: OptionValues): void {
  const misplaced = (values.proxy ? neverWithProxy : onlyWithProxy).find(
    (name) => values[name] !== undefined,
  );
  if (misplaced)
    throw new UsageError(
      values.proxy
        ? `--${flagOf(misplaced)} is for Looker's own token, so not for --proxy: leave one of them out.`
        : `--${flagOf(misplaced)} belongs to the proxy: add --proxy.`,
    );
}

async function execWithToken(
  io: Terminal,
  values: OptionValues,
  command: readonly string[],
): Promise<number> {
  const minTtl = values["min-ttl"];
  const minTtlSeconds = minTtl === undefined ? undefined : wholeSeconds("min-ttl", minTtl, 1);
  const scope = scopeOf(values);
  const session = values.session === undefined ? undefined : sessionNameOf(values.session, "exec");
  const grant = { may: "call", scope } as const;
  const broker = brokerOf(io, values, grant);
  const run = runClient(io, connectionOptions(values, grant), { scope, session });
  const file = values["token-file"] === undefined ? undefined : ownFile("token-file", values["token-file"]);
  file?.check();

  // From here on no signal ends this process by itself: there may be a session to end.
  const release = onSignals(forwardedSignals, () => {});
  try {
    const { token, stopped } = await firstToken(io, {
      ...run,
      minTtlSeconds,
      sharedMode: "leave out --session",
    });
    if (!token) return exitCodeOfSignal(stopped ?? "SIGINT");
    try {
      if (stopped) return exitCodeOfSignal(stopped);
      file?.write(token.accessToken);
      const environment = {
        ...process.env,
        LOOKER_ACCESS_TOKEN: token.accessToken,
        LOOKERSDK_BASE_URL: token.baseUrl,
        // Ruby's SDK joins its paths to this one: https://github.com/looker-open-source/looker-sdk-ruby
        LOOKER_API_ENDPOINT: `${token.baseUrl}/api/4.0/`,
        ...(file ? { LOOKER_TOKEN_FILE: file.path } : {}),
      };
      const renewal = file && keepFresh(io, values, { client: run.client, file, token, everyMs: 5_000 });
      try {
        return await runCommand(command, environment);
      } finally {
        await renewal?.stop();
      }
    } finally {
      file?.remove();
      await endSessions(io, values, { broker, scope, sessions: session === undefined ? [] : [session] });
    }
  } finally {
    release();
  }
}
