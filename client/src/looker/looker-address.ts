/** Which Looker a request goes to. Only the token says so, and only there the token is sent. */
import { TokenBrokerError } from "../errors/token-broker-error.ts";
import type { SourceToken } from "../token/token-source.ts";

/**
 * Looker's SDK takes the base URL when it is made, before any token; an empty one would leave `/api/4.0` out of its paths.
 * `.invalid` belongs to nobody: https://www.rfc-editor.org/rfc/rfc6761#section-6.4
 */
export const placeholderBaseUrl = "https://looker.invalid";

export class LookerAddress {
  /** What SDKs made so far may have put before their paths. */
  readonly #bases = new Set([placeholderBaseUrl]);
  readonly #settings: { base_url: string };

  constructor(settings: { base_url: string }) {
    this.#settings = settings;
  }

  /** For whoever reads the settings: SDKs made from now on, and people. */
  learn({ baseUrl }: Pick<SourceToken, "baseUrl">): void {
    this.#bases.add(baseUrl);
    this.#settings.base_url = baseUrl;
  }

  urlFor(path: string, token: Pick<SourceToken, "baseUrl">): string {
    this.learn(token);
    const { baseUrl } = token;
    if (path.startsWith("/")) return `${baseUrl}${path}`;
    for (const base of this.#bases)
      if (path.startsWith(`${base}/`)) return `${baseUrl}${path.slice(base.length)}`;
    throw new TokenBrokerError("bad_request", `A token of ${baseUrl} is not sent to another address.`, {
      hint: "Call the API by its path, or fetch that address without the session.",
    });
  }
}
