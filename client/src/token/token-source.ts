/**
 * What `lookerSession` needs of a client. {@link TokenBrokerClient} is one; a test of a service can pass its own, which
 * asks no broker.
 */
import type { LookerToken } from "./looker-token.ts";

export type SourceToken = Pick<LookerToken, "accessToken" | "baseUrl" | "expiresAt">;

export interface TokenSource {
  /** Whether `token()` would answer from memory. */
  readonly hasToken: boolean;
  token(options?: { signal?: AbortSignal | undefined }): Promise<SourceToken>;
  /** Calls `use`, and once more with another token where Looker refuses the first. */
  withToken<T>(
    use: (token: SourceToken) => T | Promise<T>,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** `pending`: tokens whose end Looker has yet to confirm. */
  logout(): Promise<{ readonly pending: number }>;
}
