/** What stands behind the AWS proxy: the stand-ins, or an external engine for any of the three services. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { LocalKey } from "../stack/keys.ts";
import type { AwsLocation } from "../stack/location.ts";
import type { LocalTable } from "../stack/tables.ts";
import { endpointVariables, type FunctionService } from "./call.ts";
import { ensureTable, startDynalite, type TableDefinition } from "./dynamodb.ts";
import { ENGINE_CREDENTIAL } from "./engine.ts";
import { ignoring } from "./ignoring.ts";
import { startKms } from "./kms.ts";
import { type Rotations, startSecretsManager } from "./secrets-manager.ts";

export interface Engines {
  readonly urls: Record<FunctionService, string>;
  ensureTable(table: LocalTable): Promise<void>;
  /** The key's ARN in the engine: another one than the template's where the engine chooses it. */
  ensureKey(key: LocalKey): Promise<string>;
  putSecret(name: string, value: Record<string, string>): Promise<void>;
  /** Of the stand-in alone: an external Secrets Manager cannot invoke the functions of the local run. */
  readonly rotations?: Rotations;
  close(): Promise<void>;
}

/** `externalUrls`: the engines that run elsewhere. Each other service gets a stand-in in this process. */
export async function startEngines(
  externalUrls: Readonly<Partial<Record<FunctionService, string>>>,
  location: AwsLocation,
): Promise<Engines> {
  const [tables, keys, secrets] = await Promise.all([
    dynamodbEngine(externalUrls.dynamodb, location),
    externalUrls.kms ? externalKms(externalUrls.kms, location) : standInKms(),
    externalUrls.secretsmanager
      ? externalSecretsManager(externalUrls.secretsmanager, location)
      : standInSecretsManager(location),
  ]);
  const urls = { dynamodb: tables.url, kms: keys.url, secretsmanager: secrets.url };
  const explained = explainFailures(urls);
  return {
    urls,
    ensureTable: (table) => explained("dynamodb", tables.ensureTable(table)),
    ensureKey: (key) => explained("kms", keys.ensureKey(key)),
    putSecret: (name, value) => explained("secretsmanager", secrets.putSecret(name, value)),
    ...(secrets.rotations && { rotations: secrets.rotations }),
    async close() {
      await Promise.all([tables.close(), keys.close(), secrets.close()]);
    },
  };
}

/** An engine's failure, with the variable that sets the engine: the engine's own message seldom says it. */
function explainFailures(urls: Record<FunctionService, string>) {
  return async <T>(service: FunctionService, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const { name, message } = error as Error;
      const failure = [name, message].filter(Boolean).join(": ");
      throw new Error(
        `The engine at ${urls[service]} cannot be used (${failure}): start it, or unset ${endpointVariables[service]} to use the stand-in.`,
      );
    }
  };
}

async function dynamodbEngine(externalUrl: string | undefined, { region }: AwsLocation) {
  const standIn = externalUrl ? undefined : await startDynalite();
  const url = standIn?.url ?? externalUrl ?? "";
  const client = new DynamoDBClient({ endpoint: url, region, credentials: ENGINE_CREDENTIAL });
  return {
    url,
    ensureTable: ({ createTable, ttlAttribute }: LocalTable) =>
      ensureTable(client, {
        ...(createTable as unknown as TableDefinition),
        ...(ttlAttribute === undefined
          ? {}
          : { TimeToLiveSpecification: { AttributeName: ttlAttribute, Enabled: true } }),
      }),
    async close() {
      client.destroy();
      await standIn?.close();
    },
  };
}

async function standInKms() {
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

/** An external KMS chooses key ids itself; by the alias, the key of an earlier start is found again. */
function externalKms(url: string, { region }: AwsLocation) {
  const client = new KMSClient({ endpoint: url, region, credentials: ENGINE_CREDENTIAL });
  return {
    url,
    async ensureKey({ aliases: [alias] }: LocalKey) {
      if (alias !== undefined) {
        const found = await client
          .send(new DescribeKeyCommand({ KeyId: alias }))
          .catch(ignoring("NotFoundException"));
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

interface SecretsEngine extends Pick<Engines, "putSecret" | "rotations" | "close"> {
  readonly url: string;
}

async function standInSecretsManager(location: AwsLocation): Promise<SecretsEngine> {
  const manager = await startSecretsManager(location);
  return {
    url: manager.url,
    rotations: manager.rotations,
    putSecret: async (name, value) => void manager.put(name, value),
    close: () => manager.close(),
  };
}

function externalSecretsManager(url: string, { region }: AwsLocation): SecretsEngine {
  const client = new SecretsManagerClient({ endpoint: url, region, credentials: ENGINE_CREDENTIAL });
  return {
    url,
    async putSecret(name, value) {
      const SecretString = JSON.stringify(value);
      const created = await client
        .send(new CreateSecretCommand({ Name: name, SecretString }))
        .catch(ignoring("ResourceExistsException"));
      if (!created) await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    },
    close: async () => client.destroy(),
  };
}
