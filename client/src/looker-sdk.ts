/** A session for Looker's own SDK, whose tokens come from the broker: `new Looker40SDK(lookerSession(client))`. */
import type {
  IAccessToken,
  IApiSettings,
  IAuthSession,
  IRequestProps,
  ITransport,
  ITransportSettings,
} from "@looker/sdk-rtl";
import { checkKind, checkOptions, type OptionKinds } from "./errors/options.ts";
import { TokenBrokerError } from "./errors/token-broker-error.ts";
import { LookerAddress, placeholderBaseUrl } from "./looker/looker-address.ts";
import { LookerTransport } from "./looker/looker-transport.ts";
import type { SourceToken, TokenSource } from "./token/token-source.ts";

export type { SourceToken, TokenSource } from "./token/token-source.ts";

/** Those of Looker's settings that are the service's to choose. The address comes from the broker, with the token. */
export type LookerSessionSettings = {
  [Name in "agentTag" | "headers" | "maxTries" | "timeout" | "waitHandler"]?:
    | ITransportSettings[Name]
    | undefined;
};

const kinds = {
  ...{
    agentTag: "string",
    headers: "object",
    maxTries: "number",
    timeout: "number",
    waitHandler: "function",
  },
} satisfies OptionKinds<LookerSessionSettings>;

/**
 * `client`: a {@link TokenBrokerClient}, or in a service's own tests a {@link TokenSource} that asks no broker.
 *
 * @example
 * ```ts
 * import { Looker40SDK } from "@looker/sdk";
 * import { TokenBrokerClient } from "@looker-token-broker/client";
 * import { lookerSession } from "@looker-token-broker/client/looker-sdk";
 *
 * const sdk = new Looker40SDK(lookerSession(new TokenBrokerClient({ scope: "sales" }), { timeout: 60 }));
 * const me = await sdk.ok(sdk.me());
 * console.log(me.id);
 * ```
 */
export function lookerSession(client: TokenSource, settings: LookerSessionSettings = {}): IAuthSession {
  checkOptions("lookerSession", settings, kinds);
  for (const method of ["token", "withToken", "logout"] as const)
    checkKind(`\`${method}\` of the client of lookerSession`, "function", Object(client)[method]);
  return new LookerSession(client, settings);
}

class LookerSession implements IAuthSession {
  readonly settings: IApiSettings;
  readonly transport: ITransport;
  /** Always empty: see {@link login}. */
  readonly sudoId = "";
  readonly #client: TokenSource;
  readonly #address: LookerAddress;

  constructor(client: TokenSource, settings: LookerSessionSettings) {
    this.#client = client;
    this.settings = {
      timeout: 120,
      // Filled in by the SDK.
      agentTag: "",
      ...given(settings),
      verify_ssl: true,
      base_url: placeholderBaseUrl,
      readConfig: () => ({}),
      isConfigured: () => true,
    };
    this.#address = new LookerAddress(this.settings);
    this.transport = new LookerTransport(this.settings, client, this.#address);
  }

  isAuthenticated(): boolean {
    return this.#client.hasToken;
  }

  async getToken(): Promise<IAccessToken> {
    const { accessToken, expiresAt } = await this.#token();
    const expires_in = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1_000));
    return { access_token: accessToken, token_type: "Bearer", expires_in };
  }

  async authenticate(props: IRequestProps): Promise<IRequestProps> {
    const token = await this.#token();
    props.url = this.#address.urlFor(props.url, token);
    props.headers.Authorization = `Bearer ${token.accessToken}`;
    return props;
  }

  /**
   * Ends the leases of the client's session at the broker. Without a session it ends all leases of this role in the scope.
   * False: Looker has not confirmed the end of all of them yet.
   */
  async logout(): Promise<boolean> {
    return (await this.#client.logout()).pending === 0;
  }

  isSudo(): boolean {
    return false;
  }

  async login(sudoId?: string | number): Promise<IAccessToken> {
    if (sudoId !== undefined && sudoId !== "")
      throw new TokenBrokerError(
        "sudo_unsupported",
        "A session of the token broker cannot run as another Looker user.",
      );
    return this.getToken();
  }

  /** There is nothing to forget here: tokens are the client's. */
  reset(): void {}

  async #token(): Promise<SourceToken> {
    const token = await this.#client.token();
    this.#address.learn(token);
    return token;
  }
}

/** A setting that is undefined must not hide its default. */
const given = (settings: LookerSessionSettings) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
