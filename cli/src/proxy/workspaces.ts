/**
 * One Looker token for each workspace. A token is an API session of Looker, so a switch of its workspace affects all its
 * users. The token of `production` is never switched. The first switch to `dev` takes another session of the broker's, and
 * all local logins in `dev` share it.
 */
import type { LookerToken, TokenBrokerClient } from "@looker-token-broker/client";
import type { Looker, LookerAnswer, LookerRequest } from "./looker.ts";

export type TokenClient = Pick<TokenBrokerClient, "token" | "withToken">;

export const production = "production";

/** Looker's API has `production` and `dev`. Another name would become part of a session's name. */
export const isWorkspaceName = (text: string): boolean => /^[A-Za-z0-9_-]{1,32}$/.test(text);

/** At most this many characters: docs/reference/openapi.yaml, `session`. */
const longestSession = 64;

export interface WorkspacesOptions {
  readonly looker: Looker;
  /** Of `production`. Undefined: the role's shared token. */
  readonly session: string | undefined;
  /** The beginning of the names of further sessions. */
  readonly sessionPrefix: string;
  clientOf(session: string | undefined): TokenClient;
}

export class Workspaces {
  readonly #options: WorkspacesOptions;
  readonly #byName = new Map<string, Workspace>();
  readonly #sessions = new Set<string>();

  constructor(options: WorkspacesOptions) {
    this.#options = options;
    // A run has the session's token before a tool asks for it.
    if (options.session !== undefined) this.#sessions.add(options.session);
  }

  get(name: string): Workspace {
    const known = this.#byName.get(name);
    if (known) return known;
    const { looker, session, sessionPrefix, clientOf } = this.#options;
    const suffix = `.${name}`;
    const own =
      name === production ? session : `${sessionPrefix.slice(0, longestSession - suffix.length)}${suffix}`;
    if (own !== undefined) this.#sessions.add(own);
    const workspace = new Workspace(name, clientOf(own), looker);
    this.#byName.set(name, workspace);
    return workspace;
  }

  /** Names of the broker's sessions, to be ended with the run. */
  get sessions(): readonly string[] {
    return [...this.#sessions];
  }
}

export class Workspace {
  readonly #name: string;
  readonly #client: TokenClient;
  readonly #looker: Looker;
  /** The lease of the switched token. The switch may be under way. */
  #chosen: { readonly leaseId: string; readonly status: Promise<number> } | undefined;

  constructor(name: string, client: TokenClient, looker: Looker) {
    this.#name = name;
    this.#client = client;
    this.#looker = looker;
  }

  token(signal: AbortSignal): Promise<LookerToken> {
    return this.#client.token({ signal });
  }

  /**
   * Sends the request with this workspace's token. If Looker refuses the token (401), it is replaced, and the request is sent
   * once more with the kept body.
   *
   * @throws {NotSentAgain} where the body was not kept. The next request has the new token.
   * @throws {WorkspaceRefused} if Looker does not take the workspace. A request must not run in another one.
   */
  send(request: LookerRequest): Promise<LookerAnswer> {
    return this.#withToken(request, async (token) => {
      const status = await this.#choose(token, request.signal);
      return status === 401 ? unauthorized(token) : this.#looker.send(token, request);
    });
  }

  /** Sends a request to choose this workspace, and remembers the token. */
  sendChoice(request: LookerRequest): Promise<LookerAnswer> {
    return this.#withToken(request, async (token) => {
      const answer = await this.#looker.send(token, request);
      if (isSuccess(answer.statusCode))
        this.#chosen = { leaseId: token.leaseId, status: Promise.resolve(answer.statusCode) };
      return answer;
    });
  }

  #withToken(
    { body, signal }: LookerRequest,
    use: (token: LookerToken) => Promise<LookerAnswer>,
  ): Promise<LookerAnswer> {
    let isFirst = true;
    return this.#client.withToken(
      (token) => {
        if (!isFirst && body.kind === "stream") throw new NotSentAgain();
        isFirst = false;
        return use(token);
      },
      { signal },
    );
  }

  /** @returns the status of the switch, or of an earlier one for the same token. */
  async #choose(token: LookerToken, signal: AbortSignal): Promise<number> {
    if (this.#name === production) return 200;
    if (this.#chosen?.leaseId !== token.leaseId)
      this.#chosen = { leaseId: token.leaseId, status: this.#switched(token) };
    const chosen = this.#chosen;
    try {
      const status = await chosen.status;
      if (isSuccess(status)) return status;
      if (this.#chosen === chosen) this.#chosen = undefined;
      if (status === 401) return status;
      throw new WorkspaceRefused(this.#name, status);
    } catch (error) {
      if (this.#chosen === chosen) this.#chosen = undefined;
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Not under a request's own signal: others wait for the same switch. */
  async #switched(token: LookerToken): Promise<number> {
    const answer = await this.#looker.send(token, {
      method: "PATCH",
      target: "/api/4.0/session",
      rawHeaders: ["Content-Type", "application/json"],
      body: { kind: "kept", bytes: Buffer.from(JSON.stringify({ workspace_id: this.#name })) },
      signal: AbortSignal.timeout(switchMs),
    });
    await answer.body.cancel();
    return answer.statusCode;
  }
}

/** A switch is a small request. After this time Looker does not answer. */
const switchMs = 30_000;

const isSuccess = (status: number) => status >= 200 && status < 300;

/** The token died before its workspace was chosen. `withToken` replaces it. */
const unauthorized = ({ baseUrl }: LookerToken): LookerAnswer => ({
  statusCode: 401,
  headers: {},
  lookerUrl: baseUrl,
  body: { cancel: async () => {} },
});

export class NotSentAgain extends Error {
  override readonly name = "NotSentAgain";
}

export class WorkspaceRefused extends Error {
  override readonly name = "WorkspaceRefused";

  constructor(workspace: string, status: number) {
    super(`Looker did not choose the workspace ${workspace} again for a new token (status ${status}).`);
  }
}
