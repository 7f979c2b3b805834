/** Client secrets, read from Secrets Manager and kept in memory for at most five minutes. */
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  type ClientSecret,
  type ClientSecrets,
  type Clock,
  type TimeCall,
  UnusableSecret,
} from "../use-cases/ports.ts";
import { asUnavailable } from "./aws-client.ts";

const maxAgeMs = 300_000;
/** A version that Looker rejects makes everyone look for a newer one; not more often than this. */
const rereadEveryMs = 10_000;

const reasons: Record<string, UnusableSecret["reason"]> = {
  ResourceNotFoundException: "not_found",
  AccessDeniedException: "access_denied",
  // The secret is scheduled for deletion: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
  InvalidRequestException: "deleted",
  DecryptionFailure: "access_denied",
};

export function secretsManager(client: SecretsManagerClient, clock: Clock): ClientSecrets {
  const cache = new Map<string, ClientSecret>();

  async function read(secretId: string, time: TimeCall): Promise<ClientSecret> {
    const readAt = clock.now();
    let answer: { SecretString?: string | undefined; VersionId?: string | undefined };
    try {
      answer = await time(() => client.send(new GetSecretValueCommand({ SecretId: secretId })));
    } catch (error) {
      const reason = error instanceof Error ? reasons[error.name] : undefined;
      throw reason ? new UnusableSecret(reason, { cause: error }) : asUnavailable(error, "secretsmanager");
    }
    const secret = { ...parse(answer.SecretString), versionId: answer.VersionId ?? "", readAt };
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
    reread: async (secretId) => younger(secretId, rereadEveryMs) ?? (await read(secretId, time)),
  });
  return secretsBy((call) => call());
}

/** Never quotes what it read: JSON.parse's own message would. */
function parse(text: string | undefined): { clientId: string; clientSecret: string } {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    throw new UnusableSecret("malformed");
  }
  const { client_id: clientId, client_secret: clientSecret } = (value ?? {}) as Record<string, unknown>;
  if (!isPlain(clientId) || !isPlain(clientSecret)) throw new UnusableSecret("malformed");
  return { clientId, clientSecret };
}

/** Printable ASCII: a client id is part of an encryption context and of records. A pasted newline is a mistake. */
function isPlain(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value);
}
