/** What stands behind the AWS proxy: the stand-ins, or an engine of the user's own for any of the three services. */
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { Place } from "../stack/physical-names.ts";
import type { LocalKey, LocalTable } from "../stack/template.ts";
import { StartError } from "../start-error.ts";
import type { AwsService } from "./call.ts";
import { ensureTable, startDynalite } from "./dynamodb.ts";
import { ENGINE_CREDENTIAL } from "./engine.ts";
import { startKms } from "./kms.ts";
import { startSecretsManager } from "./secrets-manager.ts";

export interface Engines {
  readonly urls: Record<AwsService, string>;
  ensureTable(table: LocalTable): Promise<void>;
  /** The key's ARN in the engine: another one than the template's where the engine chooses it. */
  ensureKey(key: LocalKey): Promise<string>;
  putSecret(name: string, value: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

export async function startEngines(
  given: Readonly<Partial<Record<AwsService, string>>>,
  place: Place,
): Promise<Engines> {
  const [dynamodb, keys, secrets] = await Promise.all([
    given.dynamodb ? foreign(given.dynamodb) : startDynalite(),
    given.kms ? foreignKeys(given.kms, place) : standInKeys(),
    given.secretsmanager ? foreignSecrets(given.secretsmanager, place) : standInSecrets(place),
  ]);
  return {
    urls: { dynamodb: dynamodb.url, kms: keys.url, secretsmanager: secrets.url },
    ensureTable: ({ createTable, ttlAttribute }) =>
      by(
        dynamodb.url,
        "AWS_ENDPOINT_URL_DYNAMODB",
        ensureTable(
          { url: dynamodb.url, region: place.region },
          {
            ...(createTable as unknown as Parameters<typeof ensureTable>[1]),
            ...(ttlAttribute === undefined
              ? {}
              : { TimeToLiveSpecification: { AttributeName: ttlAttribute, Enabled: true } }),
          },
        ),
      ),
    ensureKey: (key) => by(keys.url, "AWS_ENDPOINT_URL_KMS", keys.ensureKey(key)),
    putSecret: (name, value) =>
      by(secrets.url, "AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.putSecret(name, value)),
    async close() {
      await Promise.all([dynamodb.close(), keys.close(), secrets.close()]);
    },
  };
}

const foreign = (url: string) => ({ url, close: async () => {} });

/** A foreign engine's failure, with what set it: its own message seldom says either. */
async function by<T>(url: string, variable: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { name, message } = error as Error;
    throw new StartError(
      `The engine at ${url} cannot be used (${[name, message].filter(Boolean).join(": ")}): start it, or unset ${variable} to use the stand-in.`,
    );
  }
}

async function standInKeys() {
  const kms = await startKms();
  return {
    url: kms.url,
    ensureKey: async ({ arn, aliases }: LocalKey) => {
      kms.addKey({ arn, aliases: [...aliases] });
      return arn;
    },
    close: () => kms.close(),
  };
}

/** A foreign KMS chooses key ids itself; by the alias, the key of an earlier start is found again. */
function foreignKeys(url: string, { region }: Place) {
  const client = new KMSClient({ endpoint: url, region, credentials: ENGINE_CREDENTIAL });
  return {
    url,
    async ensureKey({ aliases: [alias] }: LocalKey) {
      if (alias !== undefined) {
        const found = await client
          .send(new DescribeKeyCommand({ KeyId: alias }))
          .catch(unless("NotFoundException"));
        if (found?.KeyMetadata?.Arn) return found.KeyMetadata.Arn;
      }
      const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
      if (!KeyMetadata?.KeyId || !KeyMetadata.Arn) throw new Error(`The KMS engine at ${url} made no key.`);
      if (alias !== undefined)
        await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata.KeyId }));
      return KeyMetadata.Arn;
    },
    close: async () => client.destroy(),
  };
}

async function standInSecrets({ region, accountId, partition }: Place) {
  const manager = await startSecretsManager({ region, accountId, partition });
  return {
    url: manager.url,
    putSecret: async (name: string, value: Record<string, string>) => void manager.put(name, value),
    close: () => manager.close(),
  };
}

function foreignSecrets(url: string, { region }: Place) {
  const client = new SecretsManagerClient({ endpoint: url, region, credentials: ENGINE_CREDENTIAL });
  return {
    url,
    async putSecret(name: string, value: Record<string, string>) {
      const SecretString = JSON.stringify(value);
      const made = await client
        .send(new CreateSecretCommand({ Name: name, SecretString }))
        .catch(unless("ResourceExistsException"));
      if (!made) await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    },
    close: async () => client.destroy(),
  };
}

const unless =
  (name: string) =>
  (error: unknown): undefined => {
    if (!(error instanceof Error) || error.name !== name) throw error;
  };
