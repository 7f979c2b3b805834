/** A run with a proxy, from its options to its end: `exec --proxy` and `proxy` differ in the middle alone. */
import { TokenBrokerClient } from "@looker-token-broker/client";
import { brokerOf, connectionOptions, scopeOf } from "./broker.ts";
import { noteFailure } from "./failure.ts";
import { firstToken, runClient } from "./first-token.ts";
import { exitCodeOfSignal, forwardedSignals, onSignals } from "./interruption.ts";
import type { OptionValues } from "./options.ts";
import { ownFile } from "./own-file.ts";
import type { LocalPair } from "./proxy/pair.ts";
import { type LookerProxy, startProxy } from "./proxy/proxy.ts";
import { iniText, settingsFileText, settingsMark } from "./proxy/settings-text.ts";
import { templateOf, variablesOf } from "./proxy/template.ts";
import { endSessions } from "./run-session.ts";
import type { Terminal } from "./terminal.ts";

export interface ProxyRun {
  readonly pair: LocalPair;
  /** 0: a free one. */
  readonly port: number;
  /** Undefined: the token that the role shares. */
  readonly session: string | undefined;
  /** The beginning of the names of other workspaces' sessions. */
  readonly sessionPrefix: string;
  /** How the user would ask for the shared token, for an error about the session's budget. */
  readonly sharedMode: string;
  /** @returns the exit code. The proxy runs until then. */
  use(proxy: LookerProxy, variables: Record<string, string>): Promise<number>;
}

export async function withProxy(
  io: Terminal,
  values: OptionValues,
  { pair, port, session, sessionPrefix, sharedMode, use }: ProxyRun,
): Promise<number> {
  const scope = scopeOf(values);
  const grant = { may: "call", scope } as const;
  const broker = brokerOf(io, values, grant);
  const connection = connectionOptions(values, grant);
  const templates = (values["set-env"] ?? []).map(templateOf);
  const mark = { mark: settingsMark };
  const ini = values.ini === undefined ? undefined : ownFile("ini", values.ini, mark);
  const settingsFile = values.settings === undefined ? undefined : ownFile("settings", values.settings, mark);
  for (const file of [ini, settingsFile]) file?.check();

  const run = runClient(io, connection, { scope, session });
  // From here on no signal ends this process by itself: there may be a session to end.
  const release = onSignals(forwardedSignals, () => {});
  try {
    const proxy = await startProxy({
      ...{ pair, port, session, sessionPrefix },
      allowCredentials: values["allow-credentials"] === true,
      clientOf: (name) =>
        name === session ? run.client : new TokenBrokerClient({ ...connection, scope, session: name }),
      onNote: (message) => noteFailure(io, values, { exitCode: 0, code: "proxy", message }),
    });
    let hasToken = false;
    try {
      const { token, stopped } = await firstToken(io, { ...run, sharedMode });
      hasToken = token !== undefined;
      if (!token || stopped) return exitCodeOfSignal(stopped ?? "SIGINT");
      const settings = { ...pair, port: proxy.port };
      const variables = variablesOf(settings, templates);
      ini?.write(iniText(settings));
      settingsFile?.write(settingsFileText(variables));
      return await use(proxy, variables);
    } finally {
      for (const file of [ini, settingsFile]) file?.remove();
      await proxy.close();
      // Without a token the broker has refused the session, or the user did not want to wait for it.
      if (hasToken) await endSessions(io, values, { broker, scope, sessions: proxy.sessions });
    }
  } finally {
    release();
  }
}
