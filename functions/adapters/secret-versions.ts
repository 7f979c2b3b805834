/**
 * The versions of a secret and their stages, for its rotation. Nothing is kept in memory.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { SecretVersions, StoredPair } from "../use-cases/rotation-ports.ts";
import { asUnavailable } from "./aws-client.ts";
import { asUnusable, parsePair } from "./secret-value.ts";

export function secretVersions(client: SecretsManagerClient): SecretVersions {
  /** @param answers by the name of an error that is an answer */
  async function ask<Answer>(
    call: () => Promise<Answer>,
    answers: Readonly<Record<string, Answer>> = {},
  ): Promise<Answer> {
    try {
      return await call();
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (Object.hasOwn(answers, name)) return answers[name] as Answer;
      throw asUnusable(error) ?? asUnavailable(error, "secretsmanager");
    }
  }
  return {
    async describe(SecretId) {
      const found = await ask(() => client.send(new DescribeSecretCommand({ SecretId })));
      return {
        arn: found.ARN ?? "",
        name: found.Name ?? "",
        rotationEnabled: found.RotationEnabled === true,
        rotationFunctionArn: found.RotationLambdaARN,
        lastRotatedAt: found.LastRotatedDate?.getTime(),
        nextRotationAt: found.NextRotationDate?.getTime(),
        stages: new Map(Object.entries(found.VersionIdsToStages ?? {})),
      };
    },
    async read(SecretId, { versionId, stage }) {
      return await ask<StoredPair | undefined>(
        async () => {
          const { SecretString, VersionId = "" } = await client.send(
            new GetSecretValueCommand({
              SecretId,
              ...(versionId === undefined ? { VersionStage: stage } : { VersionId: versionId }),
            }),
          );
          return { ...parsePair(SecretString), versionId: VersionId };
        },
        { ResourceNotFoundException: undefined },
      );
    },
    async putPending(SecretId, { versionId, pair, rotationToken }) {
      const { clientId: client_id, clientSecret: client_secret, others } = pair;
      return await ask(
        async () => {
          await client.send(
            new PutSecretValueCommand({
              ...{ SecretId, ClientRequestToken: versionId, VersionStages: ["AWSPENDING"] },
              SecretString: JSON.stringify({ ...others, client_id, client_secret }),
              ...(rotationToken !== undefined && { RotationToken: rotationToken }),
            }),
          );
          return true;
        },
        { ResourceExistsException: false },
      );
    },
    async moveStage(SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId) {
      return await ask(
        async () => {
          await client.send(
            new UpdateSecretVersionStageCommand({
              ...{ SecretId, VersionStage, RemoveFromVersionId },
              ...(MoveToVersionId !== undefined && { MoveToVersionId }),
            }),
          );
          return true;
        },
        { InvalidParameterException: false, ResourceNotFoundException: false },
      );
    },
  };
}
