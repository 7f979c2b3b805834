/** A proxy for one run, put together: its local pair and tokens, the broker's sessions behind it, and its server. */
import { LocalTokens } from "./local-tokens.ts";
import { lookerOverHttp } from "./looker.ts";
import type { LocalPair } from "./pair.ts";
import { type RunningProxy, startProxyServer } from "./server.ts";
import { type TokenClient, Workspaces } from "./workspaces.ts";

export interface ProxyOptions {
  readonly pair: LocalPair;
  /** 0: a free one. */
  readonly port: number;
  readonly allowCredentials: boolean;
  /** Of the workspace `production`. Undefined: the role's shared token. */
  readonly session: string | undefined;
  /** The beginning of the names of other workspaces' sessions. */
  readonly sessionPrefix: string;
  clientOf(session: string | undefined): TokenClient;
  onNote(text: string): void;
}

export interface LookerProxy extends RunningProxy {
  /** The broker's sessions to be ended with the run. */
  readonly sessions: readonly string[];
}

/** @throws {UsageError} where the port cannot be had. */
export async function startProxy(options: ProxyOptions): Promise<LookerProxy> {
  const { session, sessionPrefix, clientOf, ...server } = options;
  const looker = lookerOverHttp();
  const workspaces = new Workspaces({ looker, session, sessionPrefix, clientOf });
  const running = await startProxyServer({ ...server, tokens: new LocalTokens(), workspaces });
  return {
    port: running.port,
    get sessions() {
      return workspaces.sessions;
    },
    async close(graceMs) {
      await running.close(graceMs);
      looker.close();
    },
  };
}
