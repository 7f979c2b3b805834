/** Client secrets, read from Secrets Manager and kept in memory for at most five minutes. */
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { ClientSecret, ClientSecrets, Clock, TimeCall } from "../use-cases/ports.ts";
import { asUnavailable } from "./aws-client.ts";
import { asUnusable, parsePair } from "./secret-value.ts";

const maxAgeMs = 300_000;
/** A version that Looker rejects makes everyone look for a newer one; not more often than this. */
const rereadEveryMs = 10_000;

export function secretsManager(client: SecretsManagerClient, clock: Clock): ClientSecrets {
  const cache = new Map<string, ClientSecret>();

  async function read(secretId: string, time: TimeCall): Promise<ClientSecret> {
    const readAt = clock.now();
    let answer: { SecretString?: string | undefined; VersionId?: string | undefined };
    try {
      answer = await time(() => client.send(new GetSecretValueCommand({ SecretId: secretId })));
    } catch (error) {
      throw asUnusable(error) ?? asUnavailable(error, "secretsmanager");
    }
    const { clientId, clientSecret } = parsePair(answer.SecretString);
    const secret = { clientId, clientSecret, versionId: answer.VersionId ?? "", readAt };
    cache.set(secretId, secret);
    return secret;
  }

  const younger = (secretId: string, ageMs: number) => {
    const known = cache.get(secretId);
    return known && clock.now() - known.readAt < ageMs ? known : undefined;
  };

  const secretsBy = (time: TimeCall): ClientSecrets => ({
    timedBy: secretsBy,
    current: async (secretId) => younger(secretId, maxAgeMs) ?? (await read(secretId, time)),
    reread: async (secretId, outdatedAt = Number.NEGATIVE_INFINITY) => {
      const known = younger(secretId, rereadEveryMs);
      return known && known.readAt > outdatedAt ? known : await read(secretId, time);
    },
  });
  return secretsBy((call) => call());
}
