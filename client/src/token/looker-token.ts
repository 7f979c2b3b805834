/** A Looker access token that does not show itself: not in `console.log`, not in JSON, not in a string. */
import { inspect } from "node:util";

export class LookerToken {
  readonly #accessToken: string;
  /** Names the lease in logs and to the broker; not a secret. */
  readonly leaseId: string;
  readonly scope: string;
  /** The Looker instance that the token is for, without `/api/4.0`. Send it nowhere else. */
  readonly baseUrl: string;
  /** By this machine's clock, for people; the client itself measures the life by `expires_in`. */
  readonly expiresAt: Date;

  constructor(of: { accessToken: string; leaseId: string; scope: string; baseUrl: string; expiresAt: Date }) {
    this.#accessToken = of.accessToken;
    this.leaseId = of.leaseId;
    this.scope = of.scope;
    this.baseUrl = of.baseUrl;
    this.expiresAt = of.expiresAt;
  }

  /** The secret itself, for `Authorization: Bearer`. */
  get accessToken(): string {
    return this.#accessToken;
  }

  toString(): string {
    return "[redacted]";
  }

  toJSON(): object {
    const { leaseId, scope, baseUrl, expiresAt } = this;
    return { accessToken: "[redacted]", leaseId, scope, baseUrl, expiresAt };
  }

  [inspect.custom](_depth: number, options: object): string {
    return `LookerToken ${inspect(this.toJSON(), options)}`;
  }
}
