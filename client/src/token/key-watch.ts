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

export class KeyWatch {
  readonly #clock: Clock;
  readonly #provider: AwsCredentialsProvider;
  /** The service's own object, or the provider's last answer. */
  #latest: AwsCredentials | undefined;
  readonly #isObject: boolean;
  #nextLookMs = 0;
  #isLooking = false;

  constructor(given: AwsCredentials | AwsCredentialsProvider, clock: Clock) {
    this.#clock = clock;
    this.#isObject = typeof given !== "function";
    if (typeof given === "function") this.#provider = given;
    else {
      this.#latest = given;
      this.#provider = async () => given;
    }
  }

  /** The same, watched. */
  readonly provider: AwsCredentialsProvider = async (options) => {
    const credentials = await this.#provider(options);
    if (!this.#isObject) this.#latest = credentials;
    this.#nextLookMs = this.#clock.monotonic() + pauseMs;
    return credentials;
  };

  /** The last answer had this key. */
  isLatest(accessKeyId: string): boolean {
    return this.#latest === undefined || this.#latest.accessKeyId === accessKeyId;
  }

  /** A token of this key may be served. */
  mayServe(accessKeyId: string): boolean {
    if (this.#latest?.expiration && !this.#isObject) return true;
    if (!this.#isObject) this.#look();
    return this.isLatest(accessKeyId);
  }

  #look(): void {
    if (this.#isLooking || this.#clock.monotonic() < this.#nextLookMs) return;
    this.#isLooking = true;
    // A failure says nothing about the caller, and the next request meets it too.
    this.provider()
      .catch(() => {
        this.#nextLookMs = this.#clock.monotonic() + pauseMs;
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }
}
