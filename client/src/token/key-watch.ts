/**
 * Whether the client's credentials are still those of the caller that a token was given to. Only the broker knows who the
 * caller is, and asking it before each use of a token would be no cache. So the access key decides:
 *
 * - An object of the service's: another key in it counts at once.
 * - A provider's keys without an expiration: the provider is asked again, at most once a second and in the background.
 * - Keys with an expiration stand for one identity until the provider renews them, as AWS's own clients take it. Each hour's
 *   renewal would otherwise cost a request, and the token while the broker is away. A provider without a memory of its own
 *   would call STS each second.
 */
import type { AwsCredentials, AwsCredentialsProvider } from "../broker/aws-credentials.ts";
import type { Clock } from "../waiting/clock.ts";

const pauseMs = 1_000;

/** A look without an answer is given up then, and followed by another. */
const lookMs = 5_000;

export class KeyWatch {
  readonly #clock: Clock;
  readonly #provider: AwsCredentialsProvider;
  /** The service's own object, or the provider's last answer. */
  #latest: AwsCredentials | undefined;
  readonly #isObject: boolean;
  #nextLookMs = 0;
  #look: AbortController | undefined;
  /** Requests are numbered, because the answer to an earlier one may be the later one to come. */
  #asked = 0;
  #answered = 0;

  /** `given`: the option of the service, and the origin of `provider`. */
  constructor(
    provider: AwsCredentialsProvider,
    given: AwsCredentials | AwsCredentialsProvider,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#provider = provider;
    this.#isObject = typeof given !== "function";
    if (typeof given !== "function") this.#latest = given;
  }

  /** The same, watched. */
  readonly provider: AwsCredentialsProvider = async (options) => {
    const number = ++this.#asked;
    const credentials = await this.#provider(options);
    if (number > this.#answered) {
      this.#answered = number;
      if (!this.#isObject) this.#latest = credentials;
      this.#nextLookMs = this.#clock.monotonic() + pauseMs;
    }
    return credentials;
  };

  /** The last answer had this key. */
  isLatest(accessKeyId: string): boolean {
    return this.#latest === undefined || this.#latest.accessKeyId === accessKeyId;
  }

  /** A token of this key may be served. */
  mayServe(accessKeyId: string): boolean {
    if (this.#latest?.expiration && !this.#isObject) return true;
    if (!this.#isObject) this.#lookIfDue();
    return this.isLatest(accessKeyId);
  }

  #lookIfDue(): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs < this.#nextLookMs) return;
    this.#look?.abort();
    const look = new AbortController();
    this.#look = look;
    this.#nextLookMs = nowMs + lookMs;
    // A failure says nothing about the caller, and the next request meets it too.
    this.provider({ signal: look.signal }).catch(() => {
      if (this.#look === look) this.#nextLookMs = this.#clock.monotonic() + pauseMs;
    });
  }
}
