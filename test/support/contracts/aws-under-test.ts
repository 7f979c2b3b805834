/** KMS and Secrets Manager behind the AWS proxy, as the contract suites use them, whoever wrote the two. */
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type AwsProxy, startAwsProxy } from "../../../local/aws/aws-proxy.ts";
import type { FunctionService, RoleCredential } from "../../../local/aws/call.ts";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";

export const REGION = "eu-central-1";
export const ACCOUNT = "123456789012";

export const ISSUE: RoleCredential = {
  accessKeyId: "ASIAISSUE",
  secretAccessKey: "issue-secret",
  sessionToken: "issue-session",
  principalArn: `arn:aws:iam::${ACCOUNT}:role/issue-token`,
  sessionArn: `arn:aws:sts::${ACCOUNT}:assumed-role/issue-token/instance-1`,
};

export interface AwsEngines {
  readonly urls: Record<FunctionService, string>;
  /** Of a symmetric key in {@link ACCOUNT} and {@link REGION}, which `alias` names. */
  readonly keyArn: string;
  readonly alias: string;
  readonly otherKeyArn: string;
  close(): Promise<void>;
}

export type StartAws = () => Promise<AwsUnderTest>;

export interface AwsUnderTest extends AwsEngines {
  readonly awsProxy: AwsProxy;
  kmsClient(credential?: RoleCredential, region?: string): KMSClient;
  secretsClient(credential?: RoleCredential, region?: string): SecretsManagerClient;
  /** Past the AWS proxy: creates the secret if it is missing, and makes the value current. */
  putSecret(name: string, value: string | object): Promise<{ arn: string; versionId: string }>;
  /** Closes what the test uses with the rest. */
  keep<C extends { destroy(): void }>(client: C): C;
}

/** SDK clients try once: each fault is to be seen as it comes. */
export async function behindAwsProxy(
  engines: AwsEngines,
  principals: readonly RoleCredential[] = [ISSUE],
): Promise<AwsUnderTest> {
  const held = new Map(principals.map((credential) => [credential.accessKeyId, credential]));
  const awsProxy = await startAwsProxy({
    region: REGION,
    credentials: { find: (accessKeyId) => held.get(accessKeyId) },
    engines: engines.urls,
  });
  const clients: { destroy(): void }[] = [];
  const keep = <C extends { destroy(): void }>(client: C): C => {
    clients.push(client);
    return client;
  };
  const settings = { endpoint: awsProxy.url, maxAttempts: 1 };
  const direct = keep(
    new SecretsManagerClient({
      endpoint: engines.urls.secretsmanager,
      region: REGION,
      credentials: ENGINE_CREDENTIAL,
    }),
  );
  return {
    ...engines,
    awsProxy,
    keep,
    kmsClient: (credentials = ISSUE, region = REGION) =>
      keep(new KMSClient({ ...settings, credentials, region })),
    secretsClient: (credentials = ISSUE, region = REGION) =>
      keep(new SecretsManagerClient({ ...settings, credentials, region })),
    async putSecret(name, value) {
      const SecretString = typeof value === "string" ? value : JSON.stringify(value);
      const made = await direct
        .send(new CreateSecretCommand({ Name: name, SecretString }))
        .catch((error: Error) => {
          if (error.name !== "ResourceExistsException") throw error;
          return direct.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
        });
      return { arn: made.ARN ?? "", versionId: made.VersionId ?? "" };
    },
    async close() {
      for (const client of clients) client.destroy();
      await awsProxy.close();
      await engines.close();
    },
  };
}

/** The error as the SDK throws it. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<Error & { $metadata: { httpStatusCode?: number } }> {
  return promise.then(
    () => {
      throw new Error("expected a refusal");
    },
    (error) => error,
  );
}
