import {
  type ClientSecret,
  type ClientSecrets,
  type Clock,
  Unavailable,
  UnusableSecret,
} from "../../../functions/use-cases/ports.ts";

type Stored = Omit<ClientSecret, "readAt">;

export interface FakeSecrets extends ClientSecrets {
  /** What Secrets Manager holds, by secret id: a version, or why there is none to be had. */
  readonly stored: Map<string, Stored | UnusableSecret["reason"]>;
  /** How often Secrets Manager was asked; an answer from memory does not count. */
  reads: number;
  down: boolean;
}

/**
 * Keeps what it read as long as the real one: five minutes, ten seconds for `reread`. Instances of a fleet share what is
 * `stored`, and each remembers for itself.
 */
export function fakeSecrets(
  clock: Pick<Clock, "now">,
  stored: FakeSecrets["stored"] = new Map(),
): FakeSecrets {
  const cache = new Map<string, ClientSecret>();
  const notOlderThan =
    (maxAgeMs: number) =>
    async (secretId: string, outdatedAt = Number.NEGATIVE_INFINITY) => {
      const known = cache.get(secretId);
      if (known && clock.now() - known.readAt < maxAgeMs && known.readAt > outdatedAt) return known;
      secrets.reads++;
      if (secrets.down) throw new Unavailable("secretsmanager");
      const found = stored.get(secretId) ?? "not_found";
      if (typeof found === "string") throw new UnusableSecret(found);
      const secret = { ...found, readAt: clock.now() };
      cache.set(secretId, secret);
      return secret;
    };
  const secrets: FakeSecrets = {
    stored,
    reads: 0,
    down: false,
    current: notOlderThan(300_000),
    reread: notOlderThan(10_000),
  };
  return secrets;
}
