/** Looker's own transport for Node with the broker's tokens: a 401 is recovered once, time-outs and signals work. */
import { NodeTransport } from "@looker/sdk-node";
import type {
  Authenticator,
  HttpMethod,
  IRawResponse,
  IRequestProps,
  ITransportSettings,
  SDKResponse,
  Values,
} from "@looker/sdk-rtl";
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import type { SourceToken, TokenSource } from "../token/token-source.ts";
import { type Deadline, deadline } from "../waiting/deadline.ts";
import type { LookerAddress } from "./looker-address.ts";

type Options = Partial<ITransportSettings>;

export class LookerTransport extends NodeTransport {
  readonly #client: TokenSource;
  readonly #address: LookerAddress;

  constructor(settings: ITransportSettings, client: TokenSource, address: LookerAddress) {
    super(settings);
    this.#client = client;
    this.#address = address;
  }

  /** What the broker refuses is thrown as it is: Looker's own transport would keep no more of it than the message. */
  override async request<TSuccess, TError>(
    method: HttpMethod,
    path: string,
    queryParams?: Values,
    body?: unknown,
    authenticator?: Authenticator,
    options?: Options,
  ): Promise<SDKResponse<TSuccess, TError>> {
    // Behind the broker's back it would end the token of every process of this role, and be served on.
    if (authenticator && method === "DELETE" && /\/api\/[\w.]+\/logout$/.test(path)) {
      await this.#client.logout();
      return { ok: true, value: "" as TSuccess };
    }
    try {
      const raw = await this.rawRequest(method, path, queryParams, body, authenticator, options);
      return await this.parseResponse<TSuccess, TError>(raw);
    } catch (error) {
      if (error instanceof TokenBrokerError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, error: { type: "sdk_error", message } };
    }
  }

  override async rawRequest(
    method: HttpMethod,
    path: string,
    queryParams?: Values,
    body?: unknown,
    authenticator?: Authenticator,
    options?: Options,
  ): Promise<IRawResponse> {
    const call = this.#deadline(options);
    const once = (url: string, authorize?: Authenticator) =>
      call.limit(
        super.rawRequest(method, url, queryParams, body, authorize, { ...options, signal: call.signal }),
      );
    try {
      const raw = await (authenticator ? this.#withToken(path, once, call) : once(path));
      // It is being read already; whoever wants it meets the failure there.
      Promise.resolve(raw.body).then(call.end, call.end);
      return raw;
    } catch (error) {
      call.end();
      throw error;
    }
  }

  /** The time-out ends with the first byte: a stream may take as long as it likes. The signal counts until the callback is done. */
  override async stream<T>(
    callback: (response: Response) => Promise<T>,
    method: HttpMethod,
    path: string,
    queryParams?: Values,
    body?: unknown,
    authenticator?: Authenticator,
    options?: Options,
  ): Promise<T> {
    const call = this.#deadline(options);
    const once = async (base: string, authorize?: Authenticator) => {
      const merged = { ...this.options, ...options, signal: call.signal };
      const url = this.makeUrl(base, merged, queryParams ?? undefined);
      const init = await this.initRequest(method, url, body, authorize, merged);
      return fetch(url, init as RequestInit);
    };
    try {
      const response = await (authenticator ? this.#withToken(path, once, call) : once(path));
      call.stopTimeout();
      return await callback(response);
    } finally {
      call.end();
    }
  }

  /** Looker's makes a signal of its own, with two lines on the console where none is given, and then does not use it. */
  protected override async initRequest(
    method: HttpMethod,
    path: string,
    body?: unknown,
    authenticator?: Authenticator,
    options?: Options,
  ): Promise<IRequestProps> {
    const props = await super.initRequest(method, path, body, authenticator, options);
    return { ...props, signal: options?.signal };
  }

  async #withToken<T>(
    path: string,
    once: (url: string, authorize: Authenticator) => Promise<T>,
    call: Deadline,
  ): Promise<T> {
    const use = (token: SourceToken) => once(this.#address.urlFor(path, token), bearer(token));
    try {
      return await this.#client.withToken(use, { signal: call.signal });
    } catch (error) {
      if (!(call.hasPassed && error instanceof TokenBrokerError && error.code === "aborted")) throw error;
      throw new TokenBrokerError(
        "timed_out",
        `No token came within the call's time-out of ${call.seconds} s.`,
        {
          hint: "Try again, or allow a larger `timeout`.",
          retryable: true,
        },
      );
    }
  }

  #deadline(options: Options | undefined) {
    return deadline(options?.timeout ?? this.options.timeout, options?.signal);
  }
}

const bearer =
  (token: SourceToken): Authenticator =>
  (props: IRequestProps) => {
    props.headers.Authorization = `Bearer ${token.accessToken}`;
    return props;
  };
